package redisstream

import (
	"context"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// Fields that a dead letter has besides those of its entry.
const (
	deadEntry  = "dead:entry"
	deadGroup  = "dead:group"
	deadReason = "dead:reason"
	deadTries  = "dead:tries"
	deadTime   = "dead:time" // RFC 3339
)

// Raw is an entry with its fields as they are.
type Raw struct {
	Entry  string            `json:"entry"`
	Fields map[string]string `json:"fields"`
}

// Dead is a dead letter.
type Dead struct {
	Raw           // Entry is that of the dead letter
	Origin string `json:"origin"` // its entry in the stream
	Group  string `json:"group"`
	Reason string `json:"reason"`
	Tries  int    `json:"tries"`
	Time   string `json:"time"`
}

// Dead returns up to n dead letters that come after an entry of theirs, "" for the
// first.
func (q *Queue) Dead(ctx context.Context, after string, n int) ([]Dead, error) {
	raw, err := q.entriesOf(ctx, q.names.dead(), after, n)
	all := make([]Dead, 0, len(raw))
	for _, r := range raw {
		d := Dead{
			Raw: r, Origin: r.Fields[deadEntry], Group: r.Fields[deadGroup],
			Reason: r.Fields[deadReason], Time: r.Fields[deadTime],
		}
		d.Tries, _ = strconv.Atoi(r.Fields[deadTries]) // others may write dead letters, too
		for name := range r.Fields {
			if strings.HasPrefix(name, "dead:") {
				delete(r.Fields, name)
			}
		}
		all = append(all, d)
	}
	return all, err
}

// Peek returns up to n entries of the stream that come after one, "" for the first.
// They stay where they are.
func (q *Queue) Peek(ctx context.Context, after string, n int) ([]Raw, error) {
	return q.entriesOf(ctx, q.names.stream, after, n)
}

func (q *Queue) entriesOf(ctx context.Context, key, after string, n int) ([]Raw, error) {
	from := "-"
	if after != "" {
		from = "(" + after
	}
	c := q.client.B().Xrange().Key(key).Start(from).End("+").Count(int64(n)).Build()
	found, err := q.client.Do(ctx, c).AsXRange()
	if err != nil && !rueidis.IsRedisNil(err) {
		return nil, failure(ctx, "read entries", err)
	}
	all := make([]Raw, len(found))
	for i, e := range found {
		all[i] = Raw{Entry: e.ID, Fields: e.FieldValues}
	}
	return all, nil
}

// Replay puts dead letters back into the stream, for the group alone in which they
// died, each in one step. It returns their new entries, "" for those that are gone.
func (q *Queue) Replay(ctx context.Context, entries ...string) ([]string, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	added, err := q.run(ctx, q.scripts.replay, []string{q.names.stream, q.names.dead()}, entries...).AsStrSlice()
	return added, failure(ctx, "replay", err)
}
