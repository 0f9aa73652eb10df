//go:build unix

package kafka

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

func TestFaultsOfOptionsAreNamed(t *testing.T) {
	good := Options{Kafka: kafkaconn.Options{URL: "kafka://localhost"}, Topics: []string{"t"}, Group: "g"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Options){
		"URL is empty":                 func(o *Options) { o.Kafka.URL = "" },
		"Options.Topics is []":         func(o *Options) { o.Topics = nil },
		`Options.Topics is "a b"`:      func(o *Options) { o.Topics = []string{"t", "a b"} },
		"Options.Group":                func(o *Options) { o.Group = "" },
		"another topic than those":     func(o *Options) { o.DeadLetters = "t" },
		`Options.DeadLetters is ".."`:  func(o *Options) { o.DeadLetters = ".." },
		"Options.Start is 2":           func(o *Options) { o.Start = 2 },
		"Options.Lanes is -1":          func(o *Options) { o.Lanes = -1 },
		"Options.MaxRecords is -2":     func(o *Options) { o.MaxRecords = -2 },
		"Options.MaxBytes is -3":       func(o *Options) { o.MaxBytes = -3 },
		"Options.CommitInterval is 1m": func(o *Options) { o.CommitInterval = time.Hour / 50 },
		"Options.RetryMax is 1ns":      func(o *Options) { o.RetryMax = 1 },
		"Options.StopTimeout is 31s":   func(o *Options) { o.StopTimeout = 31 * time.Second },
		"Options.SessionTimeout is -":  func(o *Options) { o.SessionTimeout = -1 },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestIDs fit into that of a message, and differ.
func TestIDs(t *testing.T) {
	longest := strings.Repeat("t", 249)
	seen := make(map[string]bool)
	for _, topic := range []string{"t", longest, longest[1:], strings.Repeat("t", 98)} {
		id := idPrefix(place{topic, math.MaxInt32}) + strconv.Itoa(math.MaxInt64)
		if len(id) > belfry.MaxID || seen[id] {
			t.Errorf("%d bytes: %s", len(id), id)
		}
		seen[id] = true
	}
	if id := idPrefix(place{"orders", 3}); id != "orders/3/" {
		t.Error(id)
	}
}
