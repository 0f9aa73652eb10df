package redisstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/seed-09a96375/belfry"
)

// entry is one of a stream.
type entry struct {
	id     string
	fields map[string]string // nil: it was deleted
}

var errAnswer = errors.New("redis: the script's answer has another form than expected")

// parseRead reads what read.lua returns.
func parseRead(r rueidis.RedisResult) (entries []entry, last string, err error) {
	answer, err := r.ToArray()
	if err != nil {
		return nil, "", failure(err)
	}
	if len(answer) != 2 {
		return nil, "", errAnswer
	}
	list, err := answer[0].ToArray()
	if err != nil {
		return nil, "", err
	}
	for _, m := range list {
		e, err := parseEntry(m)
		if err != nil {
			return nil, "", err
		}
		entries = append(entries, e)
	}
	last, err = answer[1].ToString()
	return entries, last, err
}

func parseEntry(m rueidis.RedisMessage) (e entry, err error) {
	pair, err := m.ToArray()
	if err != nil {
		return e, err
	}
	if len(pair) == 0 {
		return e, errAnswer
	}
	if e.id, err = pair[0].ToString(); err != nil {
		return e, err
	}
	if len(pair) == 1 || pair[1].IsNil() {
		return e, nil
	}
	words, err := pair[1].AsStrSlice()
	if err != nil {
		return e, err
	}
	if len(words)%2 != 0 {
		return e, errAnswer
	}
	e.fields = make(map[string]string, len(words)/2)
	for i := 0; i < len(words); i += 2 {
		e.fields[words[i]] = words[i+1]
	}
	return e, nil
}

// record makes a Record of an entry.
func (s *Source) record(e entry) *belfry.Record {
	rec := &belfry.Record{ID: s.o.Stream + "/" + e.id, Meta: e.fields, Time: timeOf(e.id)}
	if s.o.KeyField != "" {
		rec.Key = e.fields[s.o.KeyField]
	}
	if s.o.Field != "" {
		rec.Value = []byte(e.fields[s.o.Field])
	} else {
		rec.Value = object(e.fields)
	}
	return rec
}

// entryOf is the name of a record's entry.
func (s *Source) entryOf(rec *belfry.Record) string {
	return strings.TrimPrefix(rec.ID, s.o.Stream+"/")
}

// object is a JSON object with all fields, as texts, in the order of their names.
func object(fields map[string]string) []byte {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(fields)) {
		if i > 0 {
			b.WriteByte(',')
		}
		_ = enc.Encode(name) // texts always can be
		b.Truncate(b.Len() - 1)
		b.WriteByte(':')
		_ = enc.Encode(fields[name])
		b.Truncate(b.Len() - 1)
	}
	b.WriteByte('}')
	return b.Bytes()
}

// timeOf is when an entry was added by the clock of Redis, zero if its name is not
// made of a time.
func timeOf(id string) time.Time {
	ms, _, _ := strings.Cut(id, "-")
	n, err := strconv.ParseInt(ms, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(n)
}

// poisonText is the reason of a dead letter, of at most a kilobyte.
func poisonText(reason error) string {
	text := fmt.Sprint(reason)
	return strings.ToValidUTF8(text[:min(len(text), 1024)], "")
}
