//go:build unix

package kafka

import (
	"context"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/source/sourcetest"
)

func TestSuite(t *testing.T) {
	b := bed.Broker(t)
	sourcetest.Run(t, func(t *testing.T) sourcetest.Place {
		topic := b.Topic(t, 3)
		client := b.Client(t, kgo.ProducerLinger(0))
		return sourcetest.Place{
			Open: func(t testing.TB) belfry.Source {
				s, err := New(options(b, topic))
				if err != nil {
					t.Fatal(err)
				}
				return s
			},
			Send: func(t testing.TB, s sourcetest.Sent) {
				rec := &kgo.Record{Topic: topic, Key: []byte(s.Key), Value: []byte(s.Value)}
				if err := client.ProduceSync(context.Background(), rec).FirstErr(); err != nil {
					t.Fatal(err)
				}
			},
			Dead: func(t testing.TB) (reasons []string) {
				for _, letter := range b.Read(t, topic+".dead", 1) {
					for _, h := range letter.Headers {
						if h.Key == HeaderReason {
							reasons = append(reasons, string(h.Value))
						}
					}
				}
				return reasons
			},
		}
	})
}
