//go:build unix

package redisstream

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/queue/consume"
)

func event(id string) *belfry.Event {
	return &belfry.Event{ID: id, Namespace: "/", Name: "e", Args: json.RawMessage(`[1]`)}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func appendN(t testing.TB, q *Queue, from, to int) {
	t.Helper()
	for i := from; i < to; i++ {
		check(t, q.Append(t.Context(), event(fmt.Sprint(i))))
	}
}

// TestPlainAnswers: an answer given with plain commands is heard, also if it is
// only stored.
func TestPlainAnswers(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server)})
	for name, publish := range map[string]bool{"published": true, "lost": false} {
		got := make(chan string, 1)
		go func() {
			a, err := q.Await(t.Context(), name)
			if err != nil {
				got <- err.Error()
				return
			}
			got <- string(a.Args)
		}()
		key := "belfry:queue:{orders}:answer:" + name
		server.Must("SET", key, `{"args":["`+name+`"]}`, "NX", "EX", "300")
		if publish {
			server.Must("PUBLISH", key, "")
		}
		if text := <-got; text != `["`+name+`"]` {
			t.Errorf("%s: got %s", name, text)
		}
	}
	server.Must("SET", "belfry:queue:{orders}:answer:bad", `what?`)
	if _, err := q.Await(t.Context(), "bad"); err == nil || !strings.Contains(err.Error(), `{"args":[…]}`) {
		t.Errorf("an answer that is none: %v", err)
	}
}

// TestGroupsComeBack: a stream that was deleted, and a group that was destroyed, are
// there again with the next event.
func TestGroupsComeBack(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Key: "TEST_EVENT_TO_BACKEND", Groups: []string{"g"}})
	var got sync.Map
	ctx, stop := context.WithCancel(t.Context())
	var done sync.WaitGroup
	arrived := make(chan string, 10)
	done.Go(func() {
		if err := q.Consume(ctx, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
			if _, twice := got.LoadOrStore(d.ID, true); !twice {
				arrived <- d.ID
			}
			return nil, nil
		}, belfry.ConsumeOptions{}); err != nil {
			t.Error(err)
		}
	})
	for i, harm := range [][]string{
		{"PING"},
		{"DEL", "TEST_EVENT_TO_BACKEND"},
		{"XGROUP", "DESTROY", "TEST_EVENT_TO_BACKEND", "g"},
		{"FLUSHALL"},
	} {
		server.Must(harm...)
		id := fmt.Sprint("after ", harm[0], i)
		check(t, q.Append(t.Context(), event(id)))
		for next := <-arrived; next != id; next = <-arrived {
		}
	}
	stop()
	done.Wait()
}

// TestTrimKeepsWhatIsNotDone counts what is left after one group has handled all,
// and another half.
func TestTrimKeepsWhatIsNotDone(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Groups: []string{"g", "h"}, TrimEvery: -1})
	const n = 1000
	appendN(t, q, 0, n)
	consumeAll(t, q, n, belfry.ConsumeOptions{})
	if removed, err := q.Trim(t.Context()); err != nil || removed != 0 {
		t.Fatalf("trimmed %d entries that a group has not got, %v", removed, err)
	}
	server.Must("XREADGROUP", "GROUP", "h", "c", "COUNT", "500", "STREAMS", q.Key(), ">")
	if removed, err := q.Trim(t.Context()); err != nil || removed != 0 {
		t.Fatalf("trimmed %d entries that are pending, %v", removed, err)
	}
	entries, err := q.Peek(t.Context(), "", n)
	check(t, err)
	ack := []string{"XACK", q.Key(), "h"}
	for _, e := range entries[:500] {
		if e.Fields["id"] != "333" {
			ack = append(ack, e.Entry)
		}
	}
	server.Must(ack...)
	removed, err := q.Trim(t.Context())
	check(t, err)
	left, err := q.Peek(t.Context(), "", n)
	check(t, err)
	if removed < 200 || removed > 333 || left[0].Entry > entries[333].Entry {
		t.Errorf("trimmed %d entries, the first left is %s; the first that is pending is %s", removed, left[0].Entry, entries[333].Entry)
	}
	s, err := q.Stats(t.Context())
	check(t, err)
	if len(s.Groups) != 2 || s.Groups[0].Lag != 0 || s.Groups[1].Lag != 500 || s.Groups[1].Pending != 1 || s.Groups[1].Oldest <= 0 {
		t.Errorf("stats are %+v", s)
	}
}

func TestWithoutGroupsLengthIsBounded(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), MaxLength: 100, TrimEvery: 20 * time.Millisecond})
	appendN(t, q, 0, 500)
	until(t, "the stream is short", func() bool {
		s, err := q.Stats(t.Context())
		check(t, err)
		return s.Length < 250
	})
}

// TestTrimRemovesAll that may go, however much it is.
func TestTrimRemovesAll(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), MaxLength: 100, TrimEvery: -1})
	server.Must("EVAL", "for i = 1, 60000 do redis.call('XADD', KEYS[1], '*', 'id', i) end", "1", q.Key())
	removed, err := q.Trim(t.Context())
	if err != nil || removed < 59_000 || removed > 59_900 {
		t.Errorf("trimmed %d entries of 60,000, %v; want all but about 100", removed, err)
	}
}

// TestDeadLettersAreBounded, whoever writes them, and what is dropped is counted.
func TestDeadLettersAreBounded(t *testing.T) {
	server := redistest.Start(t)
	const n, limit = 1000, 100
	var log bytes.Buffer
	q := open(t, Options{Redis: at(server), MaxDead: limit, TrimEvery: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	server.Must("EVAL", "for i = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'id', i) end", "1", q.names.dead(), fmt.Sprint(n))
	check(t, q.boundDead(t.Context()))
	check(t, q.boundDead(t.Context()))
	s, err := q.Stats(t.Context())
	if err != nil || s.Dead < limit || s.Dead > 3*limit || s.Dead+s.Dropped != n {
		t.Errorf("stats are %+v, %v; want about %d dead letters, the others dropped", s, err, limit)
	}
	if got := strings.Count(log.String(), "dead letters dropped"); got != 1 || !strings.Contains(log.String(), fmt.Sprint("dropped=", s.Dropped)) {
		t.Errorf("the log says %d times that they were dropped: %s", got, &log)
	}
	dead, err := q.Dead(t.Context(), "", n)
	check(t, err)
	if len(dead) == 0 || dead[len(dead)-1].Fields["id"] != fmt.Sprint(n) {
		t.Error("the last one is dropped, not the first")
	}
	keeps := open(t, Options{Redis: at(server), Name: "all", MaxDead: -1, TrimEvery: -1})
	server.Must("XADD", keeps.names.dead(), "*", "id", "1")
	check(t, keeps.boundDead(t.Context()))
	if s, err := keeps.Stats(t.Context()); err != nil || s.Dead != 1 || s.Dropped != 0 {
		t.Errorf("stats are %+v, %v; want the dead letter", s, err)
	}
}

// TestRedisIsFull: trimming frees it, and no answer is lost with an event that is
// done with.
func TestRedisIsFull(t *testing.T) {
	server := redistest.Start(t, "--maxmemory-policy", "noeviction")
	q := open(t, Options{Redis: at(server), Groups: []string{"g"}, TrimEvery: -1, Wait: time.Millisecond})
	const n = 1000
	appendN(t, q, 0, n)
	server.Must("CONFIG", "SET", "maxmemory", "1")
	if err := q.Append(t.Context(), event("more")); !errors.Is(err, belfry.ErrUnavailable) {
		t.Fatalf("append to a Redis that is full: %v, want ErrUnavailable", err)
	}
	consumeAll(t, q, n, belfry.ConsumeOptions{})
	if removed, err := q.Trim(t.Context()); err != nil || removed < n/2 {
		t.Fatalf("trimmed %d entries, %v", removed, err)
	}

	server.Must("CONFIG", "SET", "maxmemory", "0")
	e := event("asks")
	e.Reply = true
	check(t, q.Append(t.Context(), e))
	g := &reader{q: q, group: "g", consumer: "c", dedup: time.Minute}
	entries, err := g.Read(t.Context(), 1, time.Second)
	check(t, err)
	server.Must("CONFIG", "SET", "maxmemory", "1")
	said := consume.Result{Answer: &belfry.Answer{Args: []byte(`[1]`)}}
	if first, err := g.Settle(t.Context(), entries[0], said); err == nil {
		t.Errorf("acknowledged by a Redis that is full: %t", first)
	}
	server.Must("CONFIG", "SET", "maxmemory", "0")
	if first, err := g.Settle(t.Context(), entries[0], said); err != nil || !first {
		t.Errorf("acknowledged later: %t, %v", first, err)
	}
	if a, err := q.Await(t.Context(), e.ID); err != nil || string(a.Args) != "[1]" {
		t.Errorf("the answer is %+v, %v", a, err)
	}
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for limit := time.Now().Add(20 * time.Second); !ok(); {
		if time.Now().After(limit) {
			t.Fatalf("not so: %s", what)
		}
		consume.Sleep(t.Context(), 10*time.Millisecond)
	}
}

// TestDeadConsumersEvents: what a consumer has got and left goes to others.
func TestDeadConsumersEvents(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Groups: []string{"g"}})
	appendN(t, q, 0, 100)
	server.Must("XREADGROUP", "GROUP", "g", "dead", "COUNT", "100", "STREAMS", q.Key(), ">")
	appendN(t, q, 100, 120)
	consumeAll(t, q, 120, belfry.ConsumeOptions{ReclaimAfter: 300 * time.Millisecond, Concurrency: 4})
}

// TestSameConsumerAgain: a consumer with a name of its own goes on with what it had.
func TestSameConsumerAgain(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Groups: []string{"g"}})
	appendN(t, q, 0, 100)
	server.Must("XREADGROUP", "GROUP", "g", "me", "COUNT", "100", "STREAMS", q.Key(), ">")
	consumeAll(t, q, 100, belfry.ConsumeOptions{Consumer: "me"})
}

// TestDedup: an event that is in the stream twice is handled once.
func TestDedup(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Groups: []string{"g"}})
	for range 3 {
		server.Must("XADD", q.Key(), "*", "id", "same", "event", "e")
	}
	check(t, q.Append(t.Context(), event("last")))
	var same, last atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	check(t, q.Consume(ctx, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
		switch d.ID {
		case "same":
			same.Add(1)
		case "last":
			last.Add(1)
			stop()
		}
		return nil, nil
	}, belfry.ConsumeOptions{Dedup: time.Minute, Concurrency: 1}))
	if same.Load() != 1 || last.Load() != 1 {
		t.Errorf("handled %d and %d times, want once each", same.Load(), last.Load())
	}
}

// TestCommandsWithTheAcknowledgement: they are done once, also if the event is
// delivered again; what is refused fails the try, and changes nothing.
func TestCommandsWithTheAcknowledgement(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Groups: []string{"g"}})
	g := &reader{q: q, group: "g", consumer: "c", dedup: time.Minute}
	check(t, q.Append(t.Context(), event("1")))
	entries, err := g.Read(t.Context(), 1, time.Second)
	check(t, err)
	bad := consume.Result{With: [][]string{{"NO", "SUCH"}, {"INCR", "n"}}}
	if _, err := g.Settle(t.Context(), entries[0], bad); !errors.Is(err, consume.ErrRefused) {
		t.Errorf("a command that there is not: %v, want ErrRefused", err)
	}
	good := consume.Result{With: [][]string{{"INCR", "n"}, {"SET", "s", "two words"}}}
	for i := range 3 {
		first, err := g.Settle(t.Context(), entries[0], good)
		if err != nil || first != (i == 0) {
			t.Errorf("settle %d: first is %v, %v", i, first, err)
		}
	}
	if n, s := server.Must("GET", "n"), server.Must("GET", "s"); n != "1" || s != "two words" {
		t.Errorf("the commands have left %s and %q", n, s)
	}
}

// TestDeadLettersAndReplay: a dead letter has all that it had and why it died, and
// goes back for its group alone.
func TestDeadLettersAndReplay(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Groups: []string{"g", "h"}})
	check(t, q.Append(t.Context(), event("1")))
	server.Must("XADD", q.Key(), "*", "args", "not JSON", "more", "x")
	ctx, stop := context.WithTimeout(t.Context(), 20*time.Second)
	defer stop()
	fail := func(context.Context, *belfry.Delivery) (*belfry.Answer, error) {
		return nil, &belfry.PoisonError{Reason: errors.New("no")}
	}
	var done sync.WaitGroup
	done.Go(func() { _ = q.Consume(ctx, "g", fail, belfry.ConsumeOptions{Concurrency: 1}) })
	until(t, "two are dead", func() bool { s, err := q.Stats(ctx); return err == nil && s.Dead == 2 })
	stop()
	done.Wait()
	dead, err := q.Dead(t.Context(), "", 10)
	check(t, err)
	if len(dead) != 2 || dead[0].Group != "g" || !strings.HasSuffix(dead[0].Reason, "no") || dead[0].Tries != 1 ||
		dead[0].Fields["id"] != "1" || !strings.Contains(dead[1].Reason, "not JSON") || dead[1].Fields["more"] != "x" {
		t.Fatalf("dead letters are %+v", dead)
	}
	added, err := q.Replay(t.Context(), dead[0].Entry, dead[0].Entry, "1-1")
	if err != nil || len(added) != 3 || added[0] == "" || added[1] != "" || added[2] != "" {
		t.Fatalf("replayed as %q, %v", added, err)
	}
	consumeAll(t, q, 1, belfry.ConsumeOptions{})
	h := &reader{q: q, group: "h", consumer: "c"}
	for range 2 {
		entries, err := h.Read(t.Context(), 10, 50*time.Millisecond)
		check(t, err)
		for _, e := range entries {
			if e.Entry == added[0] {
				t.Error("the other group has got it, too")
			}
		}
	}
	s, err := q.Stats(t.Context())
	if err != nil || s.Dead != 1 {
		t.Errorf("stats are %+v, %v; want one dead letter", s, err)
	}
}

// TestAppendWaitsForRedis: what is appended while Redis is away is there when it is
// back, once.
func TestAppendWaitsForRedis(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	q := open(t, Options{Redis: at(server), Groups: []string{"g"}, Wait: 30 * time.Second})
	appendN(t, q, 0, 10)
	server.Kill()
	var all sync.WaitGroup
	for i := 10; i < 20; i++ {
		all.Go(func() {
			if err := q.Append(t.Context(), event(fmt.Sprint(i))); err != nil {
				t.Error(err)
			}
		})
	}
	server.Run()
	all.Wait()
	s, err := q.Stats(t.Context())
	if err != nil || s.Length != 20 {
		t.Errorf("stats are %+v, %v; want 20 entries", s, err)
	}
	impatient := open(t, Options{Redis: at(server), Wait: time.Millisecond})
	server.Kill()
	if err := impatient.Append(t.Context(), event("x")); !errors.Is(err, belfry.ErrUnavailable) && !errors.Is(err, belfry.ErrInDoubt) {
		t.Errorf("without Redis: %v", err)
	}
}

func TestCluster(t *testing.T) {
	cluster := redistest.StartCluster(t)
	for _, o := range []Options{{Name: "orders"}, {Key: "TEST_EVENT_TO_BACKEND"}, {Key: "x:{TAG}:y"}} {
		o.Redis, o.Groups = at(cluster), []string{"g"}
		q := open(t, o)
		e := event("1")
		e.Key, e.Reply = "k", true
		check(t, q.Append(t.Context(), e))
		if err := q.Append(t.Context(), e); !errors.Is(err, belfry.ErrDuplicate) {
			t.Errorf("once more: %v", err)
		}
		ctx, stop := context.WithCancel(t.Context())
		var done sync.WaitGroup
		done.Go(func() {
			check(t, q.Consume(ctx, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
				return &belfry.Answer{Args: d.Args}, nil
			}, belfry.ConsumeOptions{Dedup: time.Minute}))
		})
		if a, err := q.Await(t.Context(), "1"); err != nil || string(a.Args) != `[1]` {
			t.Errorf("%s: answer is %+v, %v", q.Key(), a, err)
		}
		stop()
		done.Wait()
		if _, err := q.Trim(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for want, o := range map[string]Options{
		"Options.Name is empty":                        {},
		`Options.Name is "{a}"`:                        {Name: "{a}"},
		"braces must be a hash tag":                    {Key: "a{}"},
		"Options.Groups has an empty name":             {Name: "a", Groups: []string{""}},
		"Options.Window is 1ms, must be at least":      {Name: "a", Window: time.Millisecond},
		"Options.KeyWindow is 1s, must be at least":    {Name: "a", KeyWindow: time.Second},
		"Options.Wait is -1ns":                         {Name: "a", Wait: -1},
		"Options.MaxLength is -1":                      {Name: "a", MaxLength: -1},
		"redisconn: Options.URL is empty":              {Name: "a"},
		"redisconn: Options.URL is not redis://[user:": {Name: "a", Redis: at(badURL{})},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	server := redistest.Start(t)
	server.Must("SET", "text", "x")
	if _, err := New(t.Context(), Options{Redis: at(server), Key: "text", Groups: []string{"g"}}); err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Errorf("a key that is no stream: %v", err)
	}
}

type badURL struct{}

func (badURL) URL() string { return "localhost:6379/s3cret%" }

// TestOrderSurvivesTheDead: a consumer has died with the first events of a key, and
// others hold as many of its successors as they may.
func TestOrderSurvivesTheDead(t *testing.T) {
	server := redistest.Start(t)
	q := open(t, Options{Redis: at(server), Groups: []string{"g"}})
	const n = 120
	for i := range n {
		e := event(fmt.Sprintf("%03d", i))
		e.Key = "k"
		check(t, q.Append(t.Context(), e))
	}
	server.Must("XREADGROUP", "GROUP", "g", "first to die", "COUNT", "20", "STREAMS", q.Key(), ">")
	server.Must("XREADGROUP", "GROUP", "g", "next to die", "COUNT", "40", "STREAMS", q.Key(), ">")
	var mu sync.Mutex
	var got []string
	ctx, stop := context.WithTimeout(t.Context(), 60*time.Second)
	defer stop()
	var done sync.WaitGroup
	for range 2 {
		done.Go(func() {
			if err := q.Consume(ctx, "g", func(_ context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
				mu.Lock()
				defer mu.Unlock()
				if got = append(got, d.ID); len(got) == n {
					stop()
				}
				return nil, nil
			}, belfry.ConsumeOptions{Concurrency: 2, Prefetch: 4, ReclaimAfter: 300 * time.Millisecond}); err != nil {
				t.Error(err)
			}
		})
	}
	done.Wait()
	if len(got) != n || !slices.IsSorted(got) {
		t.Errorf("%d events came, want %d in order: %v", len(got), n, got)
	}
}
