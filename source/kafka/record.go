package kafka

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
)

// Names in Record.Meta that are not those of headers.
const (
	MetaTopic     = "kafka-topic"
	MetaPartition = "kafka-partition"
)

// maxOffset is the length of the largest offset.
const maxOffset = 19

// idPrefix is topic/partition/, or less telling if that would be too long for the id
// of a message.
func idPrefix(at place) string {
	n := "/" + strconv.Itoa(int(at.partition)) + "/"
	if len(at.topic)+len(n)+maxOffset <= belfry.MaxID {
		return at.topic + n
	}
	sum := sha256.Sum256([]byte(at.topic))
	return "sha256-" + base64.RawURLEncoding.EncodeToString(sum[:]) + n
}

// meta are the headers by name, the last of each name, and where the record is.
func meta(at place, headers []kgo.RecordHeader) map[string]string {
	m := make(map[string]string, len(headers)+2)
	for i := range headers {
		m[headers[i].Key] = string(headers[i].Value)
	}
	m[MetaTopic] = at.topic
	m[MetaPartition] = strconv.Itoa(int(at.partition))
	return m
}

// convert makes what handlers get. Values share the memory of what was fetched,
// which nobody writes to any more.
func (p *partition) convert(batch []item) []*belfry.Record {
	made := make([]belfry.Record, len(batch))
	all := make([]*belfry.Record, len(batch))
	id := make([]byte, 0, len(p.id)+maxOffset)
	for i := range batch {
		rec := batch[i].Record
		id = strconv.AppendInt(append(id[:0], p.id...), rec.Offset, 10)
		tag := p.tag
		if len(rec.Headers) > 0 {
			tag = meta(p.at, rec.Headers)
		}
		made[i] = belfry.Record{
			ID: string(id), Key: string(rec.Key), Value: rec.Value, Meta: tag, Time: rec.Timestamp,
		}
		all[i] = &made[i]
	}
	return all
}
