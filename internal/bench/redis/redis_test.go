package redis

import (
	"bufio"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running returns a Redis that ends with the test.
func running(t *testing.T) *Server {
	t.Helper()
	s, err := Start(t.Context(), nil)
	if errors.Is(err, ErrMissing) && os.Getenv("BELFRY_REQUIRE") != "all" {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func dialed(t *testing.T, s *Server) *Conn {
	t.Helper()
	c, err := Dial(t.Context(), s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func usage(t *testing.T, c *Conn) Usage {
	t.Helper()
	u, err := c.Usage()
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUsageOfARealRedis(t *testing.T) {
	c := dialed(t, running(t))
	before := usage(t, c)
	for range 100 {
		if _, err := c.Do("APPEND", "key", strings.Repeat("x", 1000)); err != nil {
			t.Fatal(err)
		}
	}
	d := usage(t, c).Since(before)
	if d.Commands["append"] != 100 || len(d.Commands) != 1 {
		t.Errorf("commands %v, want 100 of APPEND and nothing else", d.Commands)
	}
	if d.Memory < 100_000 || d.CPU <= 0 || before.RSS <= 0 {
		t.Errorf("used %+v since %+v, want at least the 100,000 bytes of the key", d, before)
	}
}

func TestStopRemovesEverything(t *testing.T) {
	s := running(t)
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.dir); !os.IsNotExist(err) {
		t.Errorf("its folder: %v, want none", err)
	}
	if _, err := Dial(t.Context(), s.Addr()); err == nil {
		t.Error("it still accepts connections")
	}
}

func TestErrorsOfRedis(t *testing.T) {
	if _, err := dialed(t, running(t)).Do("NONSENSE"); err == nil || !strings.Contains(err.Error(), "unknown command") {
		t.Errorf("got %v", err)
	}
}

func TestRoundTrips(t *testing.T) {
	s := running(t)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	hist, err := RoundTrips(ctx, s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	if n := hist.TotalCount(); n < 1 || n > 31 || hist.Max() < 1 {
		t.Errorf("%d round trips in 300 ms, the longest %d µs", n, hist.Max())
	}
}

func TestSinceLeavesOutWhatDidNotHappen(t *testing.T) {
	before := Usage{CPU: 5, Memory: 100, Commands: map[string]int64{"get": 3, "info": 2}}
	after := Usage{CPU: 7, Memory: 90, Commands: map[string]int64{"get": 3, "info": 5, "set": 4}}
	d := after.Since(before)
	if d.CPU != 2 || d.Memory != -10 || len(d.Commands) != 1 || d.Commands["set"] != 4 {
		t.Errorf("got %+v", d)
	}
	if after.Commands["set"] != 4 || after.Commands["get"] != 3 {
		t.Errorf("the later usage was changed: %+v", after)
	}
}

func FuzzReadAnswer(f *testing.F) {
	for _, s := range []string{"+PONG\r\n", "-ERR no\r\n", ":12\r\n", "$3\r\nabc\r\n", "$-1\r\n", "$9999999999\r\n", "$2\r\nabcd", "*1\r\n", "\r\n", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		answer, err := readAnswer(bufio.NewReader(strings.NewReader(s)))
		if err != nil {
			return
		}
		if strings.HasPrefix(s, "$") && !strings.Contains(s, answer+"\r\n") {
			t.Errorf("%q is read as %q", s, answer)
		}
		if len(answer) > len(s) {
			t.Errorf("%q has an answer longer than itself", s)
		}
	})
}

func FuzzReadInfo(f *testing.F) {
	f.Add("# CPU\r\nused_cpu_sys:0.5\r\nused_cpu_user:1.25\r\n")
	f.Add("used_memory:12\r\nused_memory_rss:13\r\ncmdstat_get:calls=2,usec=3\r\n")
	f.Add("cmdstat_config|get:calls=1\r\ncmdstat_x:calls=y\r\nno colon")
	f.Fuzz(func(t *testing.T, s string) {
		var u Usage
		if err := u.read(s); err != nil {
			return
		}
		if d := u.Since(u); d.CPU != 0 || d.Memory != 0 || len(d.Commands) != 0 {
			t.Errorf("%q differs from itself by %+v", s, d)
		}
	})
}
