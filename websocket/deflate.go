package websocket

import (
	"bytes"
	"fmt"
	"sync"

	"github.com/klauspost/compress/flate"
)

const maxLevel = 9

// deflaters holds idle compressors by level: each is about a megabyte, so they
// are shared by all who compress. Nothing of one message is visible to another.
var deflaters [maxLevel + 1]sync.Pool

// CompressFrame returns a message as one compressed frame (RFC 7692) that may
// be sent to every Conn whose Deflate is true; it depends on no connection, so
// that one call serves a broadcast. level is that of compress/flate, 1 to 9; 0
// is the default, 1. A payload that compression does not make smaller comes
// back as a plain frame. The only error is a level out of range.
//
// Level 1 needs no memory between calls. Higher levels keep compressors of
// about 1 MB each in a pool.
func CompressFrame(op Opcode, payload []byte, level int) ([]byte, error) {
	if level < 0 || level > maxLevel {
		return nil, fmt.Errorf("compress frame: level %d is not within 0 to %d", level, maxLevel)
	}
	b := bytes.NewBuffer(make([]byte, MaxHeader, MaxHeader+len(payload)/2+64))
	if err := deflate(b, payload, level); err != nil {
		return nil, fmt.Errorf("compress frame: %w", err)
	}
	b.Truncate(b.Len() - len(syncTail))
	n := b.Len() - MaxHeader
	if n >= len(payload) {
		return AppendFrame(make([]byte, 0, MaxHeader+len(payload)), op, payload), nil
	}
	frame := PutHeader(b.Bytes(), MaxHeader, op)
	frame[0] |= rsv1Bit
	return frame, nil
}

// deflate writes payload compressed and flushed: the output ends with syncTail.
func deflate(b *bytes.Buffer, payload []byte, level int) error {
	if level <= 1 {
		return flate.StatelessDeflate(b, payload, false, nil)
	}
	w, ok := deflaters[level].Get().(*flate.Writer)
	if !ok {
		var err error
		if w, err = flate.NewWriter(nil, level); err != nil {
			return err
		}
	}
	w.Reset(b)
	_, err := w.Write(payload)
	if err == nil {
		err = w.Flush()
	}
	w.Reset(nil) // lets go of b
	deflaters[level].Put(w)
	return err
}
