//go:build unix

package kafka

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/kafkaconn"
)

// TestRecentIDs are known for a window at least, and for two at most.
func TestRecentIDs(t *testing.T) {
	r := newRecent(time.Minute, 1000)
	begin := time.Now()
	known := func(after time.Duration, id string) bool {
		_, first := r.enter(begin.Add(after), id)
		return !first
	}
	if known(0, "a") || known(50*time.Second, "b") {
		t.Error("a new id is known")
	}
	if !known(0, "a") || !known(59*time.Second, "a") || !known(109*time.Second, "b") {
		t.Error("an id is not known within the window")
	}
	if known(10*time.Minute, "a") || known(10*time.Minute, "b") {
		t.Error("ids stay known")
	}
	if !known(10*time.Minute, "a") {
		t.Error("an id is not known after a quiet time")
	}
}

func TestRecentIDsAreBounded(t *testing.T) {
	r := newRecent(time.Hour, 100)
	for i := range 10_000 {
		a, _ := r.enter(time.Now(), fmt.Sprint(i))
		r.leave(fmt.Sprint(i), a, nil)
		if n := len(r.young) + len(r.old); n > 100 {
			t.Fatalf("%d ids", n)
		}
	}
}

func TestFailedAttemptsAreForgotten(t *testing.T) {
	r := newRecent(time.Hour, 100)
	a, _ := r.enter(time.Now(), "a")
	b, first := r.enter(time.Now(), "a")
	if first || a != b {
		t.Error("an attempt under way is not known")
	}
	r.leave("a", a, errors.New("away"))
	<-a.done
	if c, first := r.enter(time.Now(), "a"); !first || c == a {
		t.Error("an attempt that failed is known")
	}
}

func TestFaultsOfOptionsAreNamed(t *testing.T) {
	good := Options{Kafka: kafkaconn.Options{URL: "kafka://localhost"}, Topic: "t"}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Options){
		"URL is empty":           func(o *Options) { o.Kafka.URL = "" },
		`Options.Topic is ""`:    func(o *Options) { o.Topic = "" },
		"Options.Timeout is 1ns": func(o *Options) { o.Timeout = 1 },
		"Options.MaxBytes is -1": func(o *Options) { o.MaxBytes = -1 },
		"Options.Window is 1ns":  func(o *Options) { o.Window = 1 },
		"Options.MaxIDs is -1":   func(o *Options) { o.MaxIDs = -1 },
	} {
		o := good
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
