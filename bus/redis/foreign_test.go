//go:build unix

package redis

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestForeignMessages: what is not ours is ignored and counted, and what comes
// after it arrives.
func TestForeignMessages(t *testing.T) {
	server := redistest.Start(t)
	n, link := attach(t, open(t, Options{URL: server.URL()}), "a")
	for _, payload := range []string{
		"", "hello", "1 2 3\nx", "0 0 0 0\n", "0 0 0 0\n\x09\x01", "x x x x\n\x01\x01",
		"0 0 0 0\n\x01\x02\x07", "0 0 0 0\n\x01\x04a b c d", "0 0 0 0\n\x01\x03x", "0 0 0 0\n\x01\x05-",
	} {
		for _, channel := range []string{"all", "room:/#x", "node:a", "room:"} {
			server.Must("PUBLISH", "belfry:{0}:"+channel, payload)
		}
	}
	server.Must("PUBLISH", "belfry:other", "no concern of ours")
	redistest.Publish(t, link, redistest.Message("end"))
	n.Expect(t, "end")
	if c := linkOf(link).Counts(); c.Foreign < 30 {
		t.Errorf("%d foreign messages counted", c.Foreign)
	}
}

// TestForeignSessions: sessions that cannot be read are none, those of a newer node
// are read, and holders that are none do no harm.
func TestForeignSessions(t *testing.T) {
	server := redistest.Start(t)
	_, link := attach(t, open(t, Options{URL: server.URL()}), "a")
	newer := encoder(encodeSession(&belfry.Session{Socket: "s"}))
	newer.string(99, "from the future")
	for i, stored := range []string{"", "what", "1\n", "x\n\x01\x06", "1\n\x02\x06", "1\n" + string(newer)} {
		hash := sessionHash("/", childSession(i).ID)
		for _, holder := range []string{"garbage", "dead.RUN"} {
			server.Must("HSET", "belfry:{0}:sessions:"+holder, hash, stored)
			server.Must("ZADD", "belfry:{0}:holders", "+inf", holder)
			s, err := takeChild(t.Context(), link, i, "")
			if strings.Contains(stored, "future") {
				if err != nil || s.Socket != "s" {
					t.Errorf("a session of a newer node held by %s: %+v, %v", holder, s, err)
				}
			} else if !errors.Is(err, belfry.ErrNoSession) {
				t.Errorf("%q held by %s: %+v, %v, want ErrNoSession", stored, holder, s, err)
			}
			check(t, link.(belfry.Sessions).Drop(t.Context(), "/", childSession(i).ID))
		}
	}
	if c := linkOf(link).Counts(); c.Foreign != 10 {
		t.Errorf("%d foreign sessions counted, want 10", c.Foreign)
	}
}

// TestTrimByAge removes what is too old, and nothing else.
func TestTrimByAge(t *testing.T) {
	server := redistest.Start(t)
	b := open(t, Options{URL: server.URL(), Log: Log{MaxAge: time.Second}})
	_, link := attach(t, b, "a")
	for range 50 {
		redistest.Publish(t, link, redistest.Message("old"))
	}
	<-time.After(1100 * time.Millisecond)
	const fresh = 7
	begun, left := time.Now(), 0
	for range fresh {
		redistest.Publish(t, link, redistest.Message("new"))
	}
	eventually(t, func() string {
		_, err := fmt.Sscanf(server.Must("XLEN", "belfry:{0}:log"), ":%d", &left)
		if check(t, err); left > fresh {
			return fmt.Sprintf("%d messages are kept", left)
		}
		return ""
	})
	if left < fresh && time.Since(begun) < time.Second {
		t.Errorf("%d of %d new messages are kept", left, fresh)
	}
}
