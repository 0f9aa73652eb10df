package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
)

// prepare waits until all topics are there, and makes them if it may.
func (r *run) prepare(ctx context.Context) {
	admin := kadm.NewClient(r.client)
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		missing, err := r.lacking(ctx, admin)
		if err == nil && len(missing) > 0 && r.o.CreateTopics {
			missing, err = create(ctx, admin, missing)
		}
		if ctx.Err() != nil {
			return
		}
		r.mu.Lock()
		r.missing = missing
		r.mu.Unlock()
		switch {
		case err != nil:
			r.report("look for topics", err)
		case len(missing) > 0:
			r.report("wait for topics", fmt.Errorf("missing: %s: create them, or let Belfry do it (CreateTopics)", strings.Join(missing, ", ")))
		default:
			r.client.ForceMetadataRefresh() // else it looks again in a minute or five
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// lacking returns the topics that are not there.
func (r *run) lacking(ctx context.Context, admin *kadm.Client) ([]string, error) {
	names := slices.Clone(r.o.Topics)
	for _, topic := range r.o.Topics {
		names = append(names, r.o.deadLetters(topic))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	found, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, name := range names {
		topic, known := found[name]
		switch {
		case !known || errors.Is(topic.Err, kerr.UnknownTopicOrPartition):
			missing = append(missing, name)
		case topic.Err != nil:
			return nil, fmt.Errorf("%s: %w", name, topic.Err)
		}
	}
	return missing, nil
}

// create makes topics with what the brokers have as defaults; several nodes may do it
// at once.
func create(ctx context.Context, admin *kadm.Client, names []string) (missing []string, err error) {
	made, err := admin.CreateTopics(ctx, -1, -1, nil, names...)
	if err != nil {
		return names, err
	}
	for _, topic := range made.Sorted() {
		if topic.Err != nil && !errors.Is(topic.Err, kerr.TopicAlreadyExists) {
			missing = append(missing, topic.Topic)
			err = errors.Join(err, fmt.Errorf("create %s: %w %s", topic.Topic, topic.Err, topic.ErrMessage))
		}
	}
	return missing, err
}
