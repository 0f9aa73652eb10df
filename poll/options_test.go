package poll_test

import (
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

func TestOptionsValidate(t *testing.T) {
	if err := (poll.Options{}).Validate(); err != nil {
		t.Error(err)
	}
	for field, o := range map[string]poll.Options{
		"Loops is -1":            {Loops: -1},
		"MaxQueue is -5":         {MaxQueue: -5},
		"Linger is -1s":          {Linger: -time.Second},
		"MaxCoalesce is 1µs":     {MaxCoalesce: time.Microsecond},
		"MaxCoalesce is 1h0m0s:": {MaxCoalesce: time.Hour},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%q: error %v", field, err)
		}
		if g, err := poll.New(o); err == nil || g != nil {
			t.Errorf("%q: New accepts it", field)
		}
	}
}
