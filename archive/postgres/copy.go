package postgres

import (
	"encoding/binary"
	"time"

	"github.com/seed-09a96375/belfry/archive"
)

// columns are what encode writes, in this order.
const columns = "id, time, namespace, room, event, args, text, sender, socket, key, log_offset"

const columnCount = 11

// The binary format of COPY: PostgreSQL's documentation, COPY, "Binary Format". A
// header; rows, each the count of its fields, and each field its length and bytes,
// numbers in network byte order; a trailer. It costs neither side any escaping.
var (
	copyHeader  = []byte("PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00")
	copyTrailer = []byte{0xff, 0xff}
)

// epoch is the zero of Postgres' times, which count microseconds.
var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()

// encode appends entries as COPY reads them.
func encode(b []byte, entries []archive.Entry) []byte {
	b = append(b, copyHeader...)
	for i := range entries {
		e := &entries[i]
		b = binary.BigEndian.AppendUint16(b, columnCount)
		b = appendText(b, e.ID)
		b = binary.BigEndian.AppendUint32(b, 8)
		b = binary.BigEndian.AppendUint64(b, uint64(e.Time.UnixMicro()-epoch)) //nolint:gosec // the same bits
		b = appendText(b, e.Namespace)
		b = appendText(b, string(e.Room))
		b = appendText(b, e.Event)
		b = appendText(b, string(e.Args))
		b = appendOptional(b, e.Text)
		b = appendOptional(b, e.User)
		b = appendOptional(b, string(e.Socket))
		b = appendOptional(b, e.Key)
		b = appendOptional(b, string(e.Offset))
	}
	return append(b, copyTrailer...)
}

func appendText(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(s))) //nolint:gosec // bounded by the size of a batch
	return append(b, s...)
}

// appendOptional writes NULL in place of the empty text.
func appendOptional(b []byte, s string) []byte {
	if s == "" {
		return append(b, 0xff, 0xff, 0xff, 0xff)
	}
	return appendText(b, s)
}
