package backplane_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/internal/backplane"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMemoryByDefault(t *testing.T) {
	b, err := backplane.Open(t.Context(), backplane.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if _, ok := b.Bus.(*memory.Bus); !ok {
		t.Errorf("bus is a %T, want one in memory", b.Bus)
	}
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestErrorsSayWhatToDoAndNoPassword(t *testing.T) {
	addr := closedPort(t)
	for name, test := range map[string]struct{ url, err, hint string }{
		"nobody listens": {"redis://ada:s3cret@" + addr + "/2", "no connection to redis://" + addr + ": ", "is Redis running there?"},
		"sentinels": {
			"redis://:s3cret@" + addr + "?master_set=m&addr=" + addr + "&client_name=s3cret",
			"no connection to redis://" + addr + "?addr=" + strings.ReplaceAll(addr, ":", "%3A") + "&master_set=m: ", "is Redis running there?",
		},
		"unknown host":  {"redis://:s3cret@no-such-host.invalid", "no connection to redis://no-such-host.invalid: ", "name of the host"},
		"no URL":        {"localhost:6379/s3cret%", "not a URL of a Redis", "give redis://"},
		"other scheme":  {"http://:s3cret@host", "http://host cannot be used: ", "give redis://"},
		"odd database":  {"redis://:s3cret@host/x", "redis://host cannot be used: ", "give redis://"},
		"without slash": {"redis:s3cret@host", "not a URL of a Redis", "give redis://"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := backplane.Open(t.Context(), backplane.Options{URL: test.url})
			var own *backplane.Error
			if !errors.As(err, &own) {
				t.Fatalf("error is %v, want an Error", err)
			}
			if !strings.Contains(err.Error(), test.err) || !strings.Contains(own.Hint(), test.hint) {
				t.Errorf("error is %q with hint %q, want %q and %q", err, own.Hint(), test.err, test.hint)
			}
			if strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "ada") {
				t.Errorf("error shows what is secret: %q", err)
			}
		})
	}
}

func TestNodeID(t *testing.T) {
	a, b := backplane.NodeID("node-1"), backplane.NodeID("node-1")
	if a == b || !strings.HasPrefix(string(a), "node-1-") {
		t.Errorf("names are %s and %s", a, b)
	}
	if id := backplane.NodeID(""); len(id) < 6 {
		t.Errorf("without a name the id is %q", id)
	}
}
