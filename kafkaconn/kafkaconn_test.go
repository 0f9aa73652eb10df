package kafkaconn

import (
	"crypto/tls"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBrokers(t *testing.T) {
	for url, want := range map[string][]string{
		"kafka://one":                            {"one:9092"},
		"kafka://one:1/":                         {"one:1"},
		"kafkas://[::1]:1?addr=two&addr=three:3": {"[::1]:1", "two:9092", "three:3"},
	} {
		got, err := Options{URL: url}.parse()
		if err != nil || !slices.Equal(got.brokers, want) || got.secure != strings.HasPrefix(url, "kafkas") {
			t.Errorf("%s: %+v, %v, want %q", url, got, err, want)
		}
	}
}

func TestMechanisms(t *testing.T) {
	for url, want := range map[string]string{
		"kafka://u:p@one":                             "SCRAM-SHA-512",
		"kafka://u:p@one?sasl=scram-sha-512":          "SCRAM-SHA-512",
		"kafka://u:p@one?sasl=scram-sha-256":          "SCRAM-SHA-256",
		"kafkas://u:p@one?sasl=plain":                 "PLAIN",
		"kafka://u:p@127.0.0.1?sasl=plain":            "PLAIN",
		"kafka://u:p@localhost?sasl=plain":            "PLAIN",
		"kafkas://u:p%40%2F@one:1?sasl=plain":         "PLAIN",
		"kafka://u:p@one?addr=two&sasl=scram-sha-256": "SCRAM-SHA-256",
	} {
		got, err := Options{URL: url}.parse()
		if err != nil || got.sasl == nil || got.sasl.Name() != want {
			t.Errorf("%s: %+v, %v, want %s", url, got, err, want)
		}
	}
}

// TestFaults: each is named, and no password with it.
func TestFaults(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{}, "URL is empty"},
		{Options{URL: "kafka://one", Timeout: time.Millisecond}, "Timeout is 1ms"},
		{Options{URL: "redis://one"}, `scheme of Options.URL is "redis"`},
		{Options{URL: "kafka://u:secret@one:%zz"}, "is not kafka://"},
		{Options{URL: "kafka://u:secret@"}, "is not kafka://"},
		{Options{URL: "kafka://u:secret@one/topic"}, "is not kafka://"},
		{Options{URL: "kafka://u:secret@one?a=%zz"}, "is not kafka://"},
		{Options{URL: "kafka://u:secret@one?acks=1"}, `has "acks"`},
		{Options{URL: "kafka://one?addr=:1"}, `has the broker ":1"`},
		{Options{URL: "kafka://one?addr="}, `has the broker ""`},
		{Options{URL: "kafka://u@one"}, "not both"},
		{Options{URL: "kafka://one?sasl=plain"}, "no user"},
		{Options{URL: "kafka://u:secret@one?sasl=gssapi"}, `sasl in Options.URL is "gssapi"`},
		{Options{URL: "kafka://u:secret@127.0.0.1?sasl=plain&addr=two"}, "to other machines"},
		{Options{URL: "kafka://one", TLS: &tls.Config{MinVersion: tls.VersionTLS12}}, "not kafkas://"},
	} {
		err := c.o.Validate()
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v, want %q", c.o.URL, err, c.want)
		}
		if _, err := c.o.Client(slog.Default()); err == nil {
			t.Errorf("%s: there is a client", c.o.URL)
		}
	}
}

func TestRetriesAreBounded(t *testing.T) {
	for tries := range 100 {
		if d := retryAfter(tries); d < 50*time.Millisecond || d > 2*time.Second {
			t.Errorf("%v after %d tries", d, tries)
		}
	}
}
