package kafka

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/seed-09a96375/belfry/kafkaconn"
)

// Options of a Queue. Kafka and Topic are required.
type Options struct {
	// Kafka says which cluster.
	Kafka kafkaconn.Options
	// Topic is where everything goes.
	Topic string
	// CreateTopic makes the topic if it is missing, with the partitions and replicas
	// that the brokers make by default. Without it Append fails with
	// belfry.ErrUnavailable until the topic is there.
	CreateTopic bool
	// Timeout is how long the brokers may take for a record. Default 5 s, at least
	// 1 s.
	Timeout time.Duration
	// MaxBytes bounds what waits for the brokers. Default 64 MiB; there may be 50,000
	// records.
	MaxBytes int
	// Window is for how long ids are remembered, by this node alone. Default 5 min.
	Window time.Duration
	// MaxIDs bounds how many. Default 1,000,000: about 200 MiB with ids of 64 bytes.
	MaxIDs int
	// Logger gets what goes wrong away from any caller. Default slog.Default().
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.Timeout, 5*time.Second)
	setDefault(&o.MaxBytes, 64<<20)
	setDefault(&o.Window, 5*time.Minute)
	setDefault(&o.MaxIDs, 1_000_000)
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
	o = o.withDefaults()
	var errs []error
	bad := func(field string, v any, rule string) {
		errs = append(errs, fmt.Errorf("queue/kafka: Options.%s is %v: must be %s", field, v, rule))
	}
	if err := o.Kafka.Validate(); err != nil {
		errs = append(errs, err)
	}
	if !kafkaconn.IsTopic(o.Topic) {
		bad("Topic", fmt.Sprintf("%q", o.Topic), kafkaconn.TopicRule)
	}
	if o.Timeout < time.Second {
		bad("Timeout", o.Timeout, "1s or more, or 0 for the default")
	}
	if o.MaxBytes < 0 {
		bad("MaxBytes", o.MaxBytes, "positive, or 0 for the default")
	}
	if o.Window < time.Second {
		bad("Window", o.Window, "1s or more, or 0 for the default")
	}
	if o.MaxIDs < 0 {
		bad("MaxIDs", o.MaxIDs, "positive, or 0 for the default")
	}
	return errors.Join(errs...)
}
