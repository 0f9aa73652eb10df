package kafkaconn

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// AwaitTopics waits until all topics are there, or ctx ends. With create it makes
// those that are missing, with the partitions and replicas that the brokers make by
// default; several nodes may do that at once. note is told what is missing, and what
// went wrong, after each look; both are nil at the end.
func AwaitTopics(ctx context.Context, client *kgo.Client, topics []string, create bool, note func(missing []string, err error)) {
	admin := kadm.NewClient(client)
	names := slices.Compact(slices.Sorted(slices.Values(topics)))
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 10*time.Second) {
		missing, err := missing(ctx, admin, names)
		if err == nil && len(missing) > 0 && create {
			missing, err = newTopics(ctx, admin, missing)
		}
		if ctx.Err() != nil {
			return
		}
		note(missing, err)
		if err == nil && len(missing) == 0 {
			client.ForceMetadataRefresh() // else it looks again in a minute or five
			return
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}

// missing returns the topics that are not there.
func missing(ctx context.Context, admin *kadm.Client, names []string) (none []string, err error) {
	found, err := admin.ListTopics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("list topics: %w", err)
	}
	for _, name := range names {
		topic, known := found[name]
		switch {
		case !known || errors.Is(topic.Err, kerr.UnknownTopicOrPartition):
			none = append(none, name)
		case topic.Err != nil:
			return nil, fmt.Errorf("%s: %w", name, topic.Err)
		}
	}
	return none, nil
}

// newTopics returns those that are missing still.
func newTopics(ctx context.Context, admin *kadm.Client, names []string) (none []string, err error) {
	made, err := admin.CreateTopics(ctx, -1, -1, nil, names...)
	if err != nil {
		return names, fmt.Errorf("create topics: %w", err)
	}
	for _, topic := range made.Sorted() {
		if topic.Err != nil && !errors.Is(topic.Err, kerr.TopicAlreadyExists) {
			none = append(none, topic.Topic)
			err = errors.Join(err, fmt.Errorf("create %s: %w %s", topic.Topic, topic.Err, topic.ErrMessage))
		}
	}
	return none, err
}
