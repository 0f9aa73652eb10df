package kafka

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry/kafkaconn"
)

// Options of a Source. Kafka, Topics and Group are required.
type Options struct {
	// Kafka says which cluster.
	Kafka kafkaconn.Options
	// Topics are what is consumed.
	Topics []string
	// Group is the consumer group. The nodes that have the same share the
	// partitions of the topics, each record comes to one of them.
	Group string
	// Start is where a partition begins of which the group has no offset.
	Start Start
	// DeadLetters is the topic for records that can never be handled. Default: the
	// topic of the record and ".dead".
	DeadLetters string
	// CreateTopics makes topics that are missing, those for dead letters too, with
	// the partitions and replicas that the brokers make by default. Without it a
	// missing topic is waited for, and named in the log and in Stats.
	CreateTopics bool
	// Lanes is how many records of a partition may be handled at a time. With 1,
	// the default, a partition is in order; with more, records with one key are.
	Lanes int
	// MaxRecords bounds the records of a partition that wait here. Default 4,096.
	MaxRecords int
	// MaxBytes bounds their size. Default 4 MiB. A partition is not fetched any more
	// when a bound is reached, until half is handled; one fetch, 1 MiB or a batch
	// that is larger, may be above it.
	MaxBytes int
	// CommitInterval is how often offsets are committed; they are also when a
	// partition goes to another node and at the end. Default 1 s. After a crash the
	// records of as long come again, with the same ids.
	CommitInterval time.Duration
	// RetryMax bounds the pause between two tries of a record that failed: it starts
	// at 50 ms and doubles. Default 5 s.
	RetryMax time.Duration
	// StopTimeout is how long handlers may take for what they are at when their
	// partition goes to another node, and at the end; then their context ends.
	// Default 10 s, at most 30 s: Kafka gives the partitions of a node that is
	// silent for a minute to others.
	StopTimeout time.Duration
	// SessionTimeout is after how long the partitions of a node that has died go to
	// others. Default 10 s, at least 1 s; brokers have bounds of their own, 6 s to
	// 30 min if they were not changed.
	SessionTimeout time.Duration
	// Logger gets what goes wrong. Default slog.Default().
	Logger *slog.Logger
}

// Start is a position in a partition.
type Start uint8

const (
	Oldest Start = iota // the first record that is there
	// Newest is what comes after the source has seen the partition. What was
	// produced to a new partition before that, and what comes before the first
	// commit if there is a crash, is left out.
	Newest
)

func (o Options) withDefaults() Options {
	setDefault(&o.Lanes, 1)
	setDefault(&o.MaxRecords, 4096)
	setDefault(&o.MaxBytes, 4<<20)
	setDefault(&o.CommitInterval, time.Second)
	setDefault(&o.RetryMax, 5*time.Second)
	setDefault(&o.StopTimeout, 10*time.Second)
	setDefault(&o.SessionTimeout, 10*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

func setDefault[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var errs []error
	bad := func(field string, v any, rule string) {
		errs = append(errs, fmt.Errorf("source/kafka: Options.%s is %v: must be %s", field, v, rule))
	}
	if err := o.Kafka.Validate(); err != nil {
		errs = append(errs, err)
	}
	if len(o.Topics) == 0 {
		bad("Topics", o.Topics, "one topic or more")
	}
	for _, topic := range o.Topics {
		if !kafkaconn.IsTopic(topic) {
			bad("Topics", fmt.Sprintf("%q", topic), kafkaconn.TopicRule)
		}
		if topic == o.DeadLetters {
			bad("DeadLetters", o.DeadLetters, "another topic than those consumed")
		}
	}
	if o.Group == "" {
		bad("Group", `""`, "the name of a consumer group")
	}
	if o.DeadLetters != "" && !kafkaconn.IsTopic(o.DeadLetters) {
		bad("DeadLetters", fmt.Sprintf("%q", o.DeadLetters), kafkaconn.TopicRule)
	}
	if o.Start > Newest {
		bad("Start", o.Start, "Oldest or Newest")
	}
	for _, n := range []struct {
		name string
		v    int
	}{{"Lanes", o.Lanes}, {"MaxRecords", o.MaxRecords}, {"MaxBytes", o.MaxBytes}} {
		if n.v < 0 {
			bad(n.name, n.v, "positive, or 0 for the default")
		}
	}
	return errors.Join(append(errs, o.validateTimes()...)...)
}

func (o Options) validateTimes() (errs []error) {
	o = o.withDefaults()
	for _, d := range []struct {
		name        string
		v, min, max time.Duration
	}{
		{"CommitInterval", o.CommitInterval, 10 * time.Millisecond, time.Minute},
		{"RetryMax", o.RetryMax, firstPause, time.Hour},
		{"StopTimeout", o.StopTimeout, time.Millisecond, 30 * time.Second},
		{"SessionTimeout", o.SessionTimeout, time.Second, 30 * time.Minute},
	} {
		if d.v < d.min || d.v > d.max {
			errs = append(errs, fmt.Errorf("source/kafka: Options.%s is %v: must be %v to %v, or 0 for the default",
				d.name, d.v, d.min, d.max))
		}
	}
	return errs
}
