//go:build unix

package redis

import (
	"fmt"
	"testing"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestSentAgain: what is sent again is delivered to who has not had it, and to
// nobody twice.
func TestSentAgain(t *testing.T) {
	server := redistest.Start(t)
	n, link := attach(t, open(t, Options{URL: server.URL()}), "a")
	body := func(id string, count uint64) []byte {
		return encodeMessage(redistest.Message(id), "other", count)
	}
	linkOf(link).feed.do(t.Context(), func(f *feed) {
		f.deliver(everyone, body("one", 1), 0)
		f.deliver(everyone, body("two", 2), 0)
		f.deliver(everyone, markAgain(body("one", 1)), 0)
		f.deliver(everyone, markAgain(body("two", 2)), 0)
		f.deliver(everyone, markAgain(body("three", 3)), 0)
		f.deliver(everyone, markAgain(body("three", 3)), 0)
	})
	redistest.Publish(t, link, redistest.Message("end"))
	n.Expect(t, "one", "two", "three", "end")
}

// TestRecentIsBounded: the oldest are forgotten, no others.
func TestRecentIsBounded(t *testing.T) {
	r := &recent{}
	r.init()
	for i := range 2 * recentSize {
		r.add(fmt.Append(nil, "node", i%3), uint64(i))
	}
	for i, want := range map[int]bool{0: false, recentSize - 1: false, recentSize: true, 2*recentSize - 1: true, 2 * recentSize: false} {
		if got := r.has(fmt.Append(nil, "node", i%3), uint64(i)); got != want {
			t.Errorf("message %d of %d is remembered: %v", i, 2*recentSize, got)
		}
	}
}
