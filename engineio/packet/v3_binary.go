package packet

import (
	"iter"
	"strconv"
)

// The bytes around the length in a v3 binary payload.
const (
	isText    = 0
	isBinary  = 1
	lengthEnd = 255
)

// PayloadV3Binary iterates over the packets of a v3 binary payload
// (application/octet-stream), as Payload does. A length counts bytes.
func PayloadV3Binary(body []byte) iter.Seq2[Packet, error] {
	return func(yield func(Packet, error) bool) {
		for i := 0; i < len(body) || i == 0; {
			p, next, err := packetV3Binary(body, i)
			if !yield(p, err) || err != nil {
				return
			}
			i = next
		}
	}
}

// packetV3Binary decodes the packet at i and returns the index behind it.
func packetV3Binary(body []byte, i int) (p Packet, next int, err error) {
	if i == len(body) {
		return p, 0, fail(ErrEmpty, i)
	}
	if body[i] > isBinary {
		return p, 0, fail(ErrType, i)
	}
	start, end, err := binaryBounds(body, i+1)
	if err != nil {
		return p, 0, err
	}
	if body[i] == isText {
		p, err = decodeUntrusted(body[start:end], start, DecodeV3)
		return p, end, err
	}
	p, err = DecodeV3Binary(body[start:end])
	return p, end, shift(err, start)
}

// binaryBounds returns where the packet is whose length starts at i.
func binaryBounds(body []byte, i int) (start, end int, err error) {
	first, length := i, 0
	for ; i < len(body) && body[i] <= 9; i++ {
		if length = length*10 + int(body[i]); length > len(body) {
			return 0, 0, fail(ErrLength, first)
		}
	}
	if i == first || i == len(body) || body[i] != lengthEnd || length > len(body)-i-1 {
		return 0, 0, fail(ErrLength, first)
	}
	return i + 1, i + 1 + length, nil
}

// AppendV3Binary appends the binary form of a v3 packet: a WebSocket binary
// frame.
func AppendV3Binary(dst []byte, p Packet) []byte {
	return append(append(dst, byte(p.Type)), p.Data...)
}

// AppendPayloadV3Binary appends a v3 binary payload, for clients that did not ask
// for base64.
func AppendPayloadV3Binary(dst []byte, packets ...Packet) []byte {
	for _, p := range packets {
		if p.Binary {
			dst = AppendV3Binary(appendLength(dst, isBinary, p), p)
		} else {
			dst = Append(appendLength(dst, isText, p), p)
		}
	}
	return dst
}

// appendLength appends what comes before the type of p.
func appendLength(dst []byte, mark byte, p Packet) []byte {
	dst = append(dst, mark)
	start := len(dst)
	dst = strconv.AppendInt(dst, int64(1+len(p.Data)), 10)
	for i := start; i < len(dst); i++ {
		dst[i] -= '0'
	}
	return append(dst, lengthEnd)
}
