package redisstream

import (
	"context"
	"time"
)

// ConsumerStats are the figures of a consumer.
type ConsumerStats struct {
	Name    string        `json:"name"`
	Pending int64         `json:"pending"` // it has got, and not acknowledged
	Idle    time.Duration `json:"idle"`    // since it was last seen
}

// Consumers returns those that a group knows.
func (q *Queue) Consumers(ctx context.Context, group string) ([]ConsumerStats, error) {
	list, err := q.client.Do(ctx, q.client.B().XinfoConsumers().Key(q.names.stream).Group(group).Build()).ToArray()
	if err != nil {
		return nil, failure(ctx, "look at the consumers", err)
	}
	all := make([]ConsumerStats, len(list))
	for i, m := range list {
		fields, err := m.AsMap()
		if err != nil {
			return nil, failure(ctx, "look at a consumer", err)
		}
		name, pending, idle := fields["name"], fields["pending"], fields["idle"]
		all[i].Name, _ = name.ToString()      // these are there since Redis 5
		all[i].Pending, _ = pending.AsInt64() // see above
		ms, _ := idle.AsInt64()               // see above
		all[i].Idle = time.Duration(ms) * time.Millisecond
	}
	return all, nil
}
