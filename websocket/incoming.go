package websocket

// minBuffer is the smallest buffer, in bytes, for a message that may be longer.
const minBuffer = 512

// incoming is what a connection keeps of a frame or message that is not yet
// complete. Idle connections have none.
type incoming struct {
	// The beginning of a header.
	head    [maxClientHeader]byte
	headLen uint8

	// The frame whose payload is incomplete, if open. The payload of data frames
	// goes to buf.
	open bool
	left uint64 // bytes of payload to come
	h    header
	ctl  []byte // payload of a control frame so far

	// The message that is incomplete, if op is not 0.
	op       Opcode
	deflated bool
	frames   int // begun so far
	valid    int // so many bytes of buf are known to be UTF-8
	buf      []byte

	// failed is why the connection ends.
	failed *CloseError
}

// keepHeader adds the beginning of p to the header, as far as it goes.
func (in *incoming) keepHeader(p []byte) {
	in.headLen += uint8(copy(in.head[in.headLen:], p))
}

// openFrame begins a frame whose payload comes with later reads.
func (in *incoming) openFrame(h header) {
	in.open, in.h, in.left = true, h, h.length
	if !h.op.control() {
		in.begin(h)
	}
}

// begin notes that a data frame of the message begins.
func (in *incoming) begin(h header) {
	in.frames++
	if in.op == 0 {
		in.op, in.deflated = h.op, h.rsv1
	}
}

// text reports whether the payload must be UTF-8 as it stands.
func (in *incoming) text() bool { return in.op == Text && !in.deflated }

// add appends unmasked payload to the message and checks it as far as that is
// possible. The buffer never grows beyond ceiling.
func (in *incoming) add(p []byte, ascii bool, ceiling int) error {
	in.grow(len(p), ceiling)
	known := ascii && in.valid == len(in.buf)
	in.buf = append(in.buf, p...)
	if known {
		in.valid = len(in.buf)
	}
	if known || !in.text() {
		return nil
	}
	n, ok := validPrefix(in.buf[in.valid:])
	if !ok {
		return violation(CloseInvalidData, "text is not UTF-8")
	}
	in.valid += n
	return nil
}

// grow makes room for n bytes. The buffer at least doubles, so that many parts
// cost little, but what was announced counts only as an upper bound: memory
// follows what has arrived.
func (in *incoming) grow(n, ceiling int) {
	need := len(in.buf) + n
	if need <= cap(in.buf) {
		return
	}
	buf := make([]byte, len(in.buf), max(need, min(ceiling, max(2*need, minBuffer))))
	copy(buf, in.buf)
	in.buf = buf
}

// drop gives back what nobody wants any more.
func (in *incoming) drop() { in.buf, in.op = nil, 0 }
