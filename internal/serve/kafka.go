package serve

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/route"
	"github.com/seed-09a96375/belfry/kafkaconn"
	kafkaqueue "github.com/seed-09a96375/belfry/queue/kafka"
	"github.com/seed-09a96375/belfry/source/kafka"
)

// Kafka is the cluster that topics of routes and sources are on.
type Kafka struct {
	// URL of it; see kafkaconn.Options. Empty: there is none.
	URL string
	// TLS is for URLs with kafkas://.
	TLS backplane.TLS
	// CreateTopics makes topics that are missing.
	CreateTopics bool
	// Window is how long a node remembers ids of what it has appended. Default 5
	// minutes.
	Window time.Duration
}

// connection says how to reach it. The error names what is wrong with the files of TLS.
func (k Kafka) connection() (kafkaconn.Options, error) {
	config, err := k.TLS.Config()
	return kafkaconn.Options{URL: k.URL, TLS: config}, err
}

// validateKafka names what cannot work with topics.
func (o Options) validateKafka() (faults []error) {
	if o.Kafka.URL != "" {
		if err := (kafkaconn.Options{URL: o.Kafka.URL}).Validate(); err != nil {
			why := strings.ReplaceAll(strings.TrimPrefix(err.Error(), "kafkaconn: "), "Options.URL", "the URL")
			faults = append(faults, fmt.Errorf("serve: Options.Kafka.URL cannot be used: %s", why))
		}
	}
	if o.Kafka.Window < 0 {
		faults = append(faults, fmt.Errorf("serve: Options.Kafka.Window is %v: must be positive, or 0 for the default", o.Kafka.Window))
	}
	check := func(at, topic string) {
		switch {
		case topic == "":
		case o.Kafka.URL == "":
			faults = append(faults, fmt.Errorf("%s is %q: needs a Kafka: give kafka.url", at, topic))
		case !kafkaconn.IsTopic(topic):
			faults = append(faults, fmt.Errorf("%s is %q: must be %s", at, topic, kafkaconn.TopicRule))
		}
	}
	for i, r := range o.Routes.Routes {
		check(fmt.Sprintf("route: Options.Routes[%d].Topic", i), r.Topic)
	}
	for i, r := range o.Routes.Messages {
		check(fmt.Sprintf("route: Options.Messages[%d].Topic", i), r.Topic)
	}
	for i, s := range o.Routes.Sources {
		check(fmt.Sprintf("route: Options.Sources[%d].Topic", i), s.Topic)
		check(fmt.Sprintf("route: Options.Sources[%d].DeadTopic", i), s.DeadTopic)
	}
	return faults
}

// topics are those that routes and rules append to, by name.
type topics map[string]*kafkaqueue.Queue

// openTopics begins to connect: brokers that are away are waited for when an event
// comes.
func (n *node) openTopics() error {
	n.topics = make(topics)
	for _, topic := range n.o.topics() {
		conn, err := n.o.Kafka.connection()
		if err != nil {
			return err
		}
		q, err := kafkaqueue.New(kafkaqueue.Options{Kafka: conn, Topic: topic, CreateTopic: n.o.Kafka.CreateTopics, Window: n.o.Kafka.Window, Logger: n.log})
		if err != nil {
			return fmt.Errorf("open topic %s: %w", topic, err)
		}
		n.topics[topic] = q
	}
	return nil
}

// topics are the names of those that anything is appended to.
func (o Options) topics() (all []string) {
	for _, r := range o.Routes.Routes {
		all = append(all, r.Topic)
	}
	for _, r := range o.Routes.Messages {
		all = append(all, r.Topic)
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(name string) bool { return name == "" })
}

// links are the topics as routes want them.
func (t topics) links() map[string]belfry.Queue {
	all := make(map[string]belfry.Queue, len(t))
	for name, q := range t {
		all[name] = q
	}
	return all
}

// closeTopics waits for what was appended, no longer than for clients.
func (n *node) closeTopics() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	for name, q := range n.topics {
		if err := q.Close(ctx); err != nil {
			n.log.Warn("the topic does not have all that was appended", "topic", name, "err", err)
		}
	}
}

// topicSource is a source that knows how it is.
type topicSource struct{ *kafka.Source }

func (n *node) topicSource(o route.Source) (source, error) {
	conn, err := n.o.Kafka.connection()
	if err != nil {
		return nil, err
	}
	s := kafka.Options{Kafka: conn, Topics: []string{o.Topic}, Group: cmp.Or(o.Group, "belfry"), CreateTopics: n.o.Kafka.CreateTopics, DeadLetters: o.DeadTopic, Lanes: o.Lanes, Logger: n.log}
	if o.New {
		s.Start = kafka.Newest
	}
	opened, err := kafka.New(s)
	return topicSource{opened}, err
}

// Health implements source: what is wrong now, as far as is known.
func (s topicSource) Health() (ok bool, reasons []string) {
	stats := s.Stats()
	for _, topic := range stats.Missing {
		reasons = append(reasons, fmt.Sprintf("topic %s is missing", topic))
	}
	for _, p := range stats.Partitions {
		if p.Fault != "" {
			reasons = append(reasons, fmt.Sprintf("topic %s, partition %d: a record is tried again and again: %s", p.Topic, p.Partition, p.Fault))
		}
	}
	return len(reasons) == 0, reasons
}
