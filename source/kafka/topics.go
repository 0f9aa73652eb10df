package kafka

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry/kafkaconn"
)

// prepare waits until all topics are there, those for dead letters too.
func (r *run) prepare(ctx context.Context) {
	names := slices.Clone(r.o.Topics)
	for _, topic := range r.o.Topics {
		names = append(names, r.o.deadLetters(topic))
	}
	kafkaconn.AwaitTopics(ctx, r.client, names, r.o.CreateTopics, func(missing []string, err error) {
		r.mu.Lock()
		r.missing = missing
		r.mu.Unlock()
		if err == nil && len(missing) > 0 {
			err = fmt.Errorf("missing: %s: create them, or let Belfry do it (CreateTopics)", strings.Join(missing, ", "))
		}
		if err != nil {
			r.report("wait for topics", err)
		}
	})
}
