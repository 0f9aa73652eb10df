package engineio

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// compressor compresses polling answers. A writer is about 1 MB: they are
// pooled. The zero value is ready; safe for concurrent use.
type compressor struct {
	gzip, deflate sync.Pool
}

type resetWriter interface {
	io.WriteCloser
	Reset(io.Writer)
}

// compress appends body in the given content coding to dst.
func (c *compressor) compress(dst *bytes.Buffer, coding string, body []byte) error {
	pool := &c.gzip
	if coding == "deflate" {
		pool = &c.deflate
	}
	w, _ := pool.Get().(resetWriter)
	if w == nil {
		w = newCompressWriter(coding)
	}
	defer pool.Put(w)
	w.Reset(dst)
	if _, err := w.Write(body); err != nil {
		return err
	}
	return w.Close()
}

func newCompressWriter(coding string) resetWriter {
	if coding == "deflate" { // RFC 9110 section 8.4.1.2: zlib format
		w, _ := zlib.NewWriterLevel(io.Discard, zlib.BestSpeed) // the level is valid
		return w
	}
	w, _ := gzip.NewWriterLevel(io.Discard, gzip.BestSpeed) // the level is valid
	return w
}

// negotiate returns the coding that the client likes best, gzip before deflate,
// empty if it takes neither. RFC 9110 section 12.5.3.
func negotiate(accept []string) string {
	// -1: not mentioned
	gz, df, any := -1.0, -1.0, -1.0
	for _, field := range accept {
		for item := range strings.SplitSeq(field, ",") {
			coding, q := parseCoding(item)
			switch coding {
			case "gzip", "x-gzip":
				gz = q
			case "deflate":
				df = q
			case "*":
				any = q
			}
		}
	}
	if gz < 0 {
		gz = any
	}
	if df < 0 {
		df = any
	}
	switch {
	case gz > 0 && gz >= df:
		return "gzip"
	case df > 0:
		return "deflate"
	default:
		return ""
	}
}

// parseCoding splits "gzip;q=0.5". A weight that cannot be read is 0.
func parseCoding(item string) (coding string, q float64) {
	coding, params, _ := strings.Cut(item, ";")
	q = 1
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			var err error
			q, err = strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil || !(q >= 0 && q <= 1) {
				q = 0
			}
		}
	}
	return strings.ToLower(strings.TrimSpace(coding)), q
}
