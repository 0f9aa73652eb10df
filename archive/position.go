package archive

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// Position is a place in the order of a room: by time, then by id. The zero value is
// no place.
type Position struct {
	Time time.Time
	ID   string
}

// IsZero reports whether p is no place.
func (p Position) IsZero() bool { return p.ID == "" && p.Time.IsZero() }

// Compare is negative if p comes before q, and 0 if they are the same, to the
// microsecond.
func (p Position) Compare(q Position) int {
	return cmp.Or(cmp.Compare(p.Time.UnixMicro(), q.Time.UnixMicro()), strings.Compare(p.ID, q.ID))
}

// String is p as text, for URLs: what ParsePosition reads, and nobody else needs to.
func (p Position) String() string {
	if p.IsZero() {
		return ""
	}
	b := binary.BigEndian.AppendUint64(nil, uint64(p.Time.UnixMicro())) //nolint:gosec // the same bits
	return base64.RawURLEncoding.EncodeToString(append(b, p.ID...))
}

// ErrPosition: the text is no position.
var ErrPosition = errors.New("not a position in the history: give one that a page has named")

// ParsePosition reads what String has written. Empty is the zero Position. The error
// is ErrPosition.
func ParsePosition(text string) (Position, error) {
	if text == "" {
		return Position{}, nil
	}
	const timeBytes = 8
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || strings.ContainsAny(text, "\r\n") || len(b) <= timeBytes || len(b) > timeBytes+MaxID {
		return Position{}, ErrPosition
	}
	micro := int64(binary.BigEndian.Uint64(b)) //nolint:gosec // the same bits
	id := string(b[timeBytes:])
	if micro < earliest.UnixMicro() || micro > latest.UnixMicro() || !utf8.ValidString(id) || strings.IndexByte(id, 0) >= 0 {
		return Position{}, ErrPosition
	}
	return Position{Time: time.UnixMicro(micro).UTC(), ID: id}, nil
}

// latest is after any message, and still a time for every store.
var latest = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
