package websocket

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"slices"
)

const (
	// syncTail is what a sender leaves off a compressed message (RFC 7692
	// section 7.2.2); lastBlock makes the deflate stream end after it.
	syncTail  = "\x00\x00\xff\xff"
	lastBlock = "\x01\x00\x00\xff\xff"

	// maxKept bounds each buffer that a pooled inflater holds on to, in bytes.
	maxKept = 64 << 10

	minInflated = 4 << 10 // first size of a buffer for inflated bytes
)

// inflater decompresses one message at a time. It carries nothing over from one
// message to the next: client_no_context_takeover is always agreed upon.
type inflater struct {
	r   io.ReadCloser
	src bytes.Reader
	in  []byte
	out []byte
}

func (u *Upgrader) inflater() *inflater { return u.inflaters.Get().(*inflater) }

func (u *Upgrader) release(f *inflater) {
	f.trim()
	u.inflaters.Put(f)
}

func newInflater() any { return &inflater{r: flate.NewReader(bytes.NewReader(nil))} }

// inflate returns the message that p is the compressed form of, at most limit
// bytes. It is valid until the next call.
func (f *inflater) inflate(p []byte, limit int) ([]byte, error) {
	// A copy in one piece with its end: the reader is several times faster on a
	// bytes.Reader than on anything put together.
	f.in = append(append(append(f.in[:0], p...), syncTail...), lastBlock...)
	f.src.Reset(f.in)
	if err := f.r.(flate.Resetter).Reset(&f.src, nil); err != nil {
		return nil, fmt.Errorf("reset inflater: %w", err)
	}
	for {
		if len(f.out) == cap(f.out) {
			f.out = slices.Grow(f.out, max(len(f.out), minInflated))
		}
		n, err := f.r.Read(f.out[len(f.out):min(cap(f.out), limit+1)])
		f.out = f.out[:len(f.out)+n]
		switch {
		case len(f.out) > limit:
			return nil, violation(CloseTooBig, "message too big once inflated")
		case errors.Is(err, io.EOF):
			return f.out, nil
		case err != nil:
			return nil, &CloseError{Code: CloseInvalidData, Err: fmt.Errorf("inflate: %w", err)}
		}
	}
}

// trim empties the buffers and gives big ones back.
func (f *inflater) trim() {
	f.in, f.out = f.in[:0], f.out[:0]
	if cap(f.in) > maxKept {
		f.in = nil
	}
	if cap(f.out) > maxKept {
		f.out = nil
	}
}
