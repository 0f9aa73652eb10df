//go:build unix

package redisstream_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/redisconn"
	"github.com/seed-09a96375/belfry/source/redisstream"
	"github.com/seed-09a96375/belfry/source/sourcetest"
)

// fill adds n entries of one key, v0 on.
func fill(t testing.TB, server *redistest.Server, stream string, from, n int) (sent []sourcetest.Sent) {
	t.Helper()
	for i := from; i < from+n; i++ {
		v := fmt.Sprint("v", i)
		server.Must("XADD", stream, "*", "v", v, "k", "k")
		sent = append(sent, sourcetest.Sent{Key: "k", Value: v})
	}
	return sent
}

func TestStreamAndGroupAreDeleted(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	l := sourcetest.NewLedger()
	sent := fill(t, server, "S", 0, 5) // before anybody made the group
	run(t, open(t, redisstream.Options{Client: client, Stream: "S"}), noting(l))
	await(t, l, 5)
	server.Must("DEL", "S")
	sent = append(sent, fill(t, server, "S", 5, 5)...)
	await(t, l, 10)
	server.Must("XGROUP", "DESTROY", "S", "belfry")
	sent = append(sent, fill(t, server, "S", 10, 5)...)
	await(t, l, 15)
	if err := l.Verdict(sent, true); err != nil { // a group made anew begins with all
		t.Error(err)
	}
}

func TestAGroupMayBeginWithWhatIsNew(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	l := sourcetest.NewLedger()
	fill(t, server, "S", 0, 5)
	run(t, open(t, redisstream.Options{Client: client, Stream: "S", New: true}), noting(l))
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	for server.Must("EXISTS", "{S}:lease:belfry") != ":1" || len(groups(t, server)) == 0 {
		if ctx.Err() != nil {
			t.Fatal("no group was made")
		}
	}
	sent := fill(t, server, "S", 5, 5)
	await(t, l, 5)
	if err := l.Verdict(sent, false); err != nil || l.Count("v0") > 0 {
		t.Error(err)
	}
}

// groups is empty while there is no group.
func groups(t testing.TB, server *redistest.Server) string {
	t.Helper()
	if answer := server.Must("XINFO", "GROUPS", "S"); answer != "*0" {
		return answer
	}
	return ""
}

func TestRedisIsStartedAgain(t *testing.T) {
	server := redistest.Start(t, "--appendonly", "yes", "--appendfsync", "always")
	client := connect(t, server)
	l := sourcetest.NewLedger()
	for range 2 {
		run(t, open(t, redisstream.Options{Client: client, Stream: "S"}), noting(l))
	}
	sent := fill(t, server, "S", 0, 50)
	await(t, l, 20)
	server.Kill()
	server.Run()
	sent = append(sent, fill(t, server, "S", 50, 50)...)
	await(t, l, 100)
	if err := l.Verdict(sent, true); err != nil {
		t.Error(err)
	}
}

// TestANodeThatWasStoppedDisturbsNobody: the lease of a node ends while it handles a
// record; another goes on from that record; then the first wakes up.
func TestANodeThatWasStoppedDisturbsNobody(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	sent := fill(t, server, "S", 0, 30)
	begun, wake := make(chan struct{}), make(chan struct{})
	var mu sync.Mutex
	var calls []string
	slept := false
	stop := run(t, open(t, redisstream.Options{Client: client, Stream: "S", Lease: time.Minute}), func(_ context.Context, rec *belfry.Record) error {
		mu.Lock()
		calls = append(calls, string(rec.Value))
		sleeps := string(rec.Value) == "v3" && !slept
		slept = slept || sleeps
		mu.Unlock()
		if sleeps {
			close(begun)
			<-wake
		}
		return nil
	})
	<-begun
	server.Must("DEL", "{S}:lease:belfry") // its time is up, and it does not know
	l := sourcetest.NewLedger()
	run(t, open(t, redisstream.Options{Client: client, Stream: "S", Lease: time.Minute}), noting(l))
	l.AwaitValue(t.Context(), "v29")
	close(wake)
	sent = append(sent, fill(t, server, "S", 30, 30)...)
	l.AwaitValue(t.Context(), "v59")
	stop()
	mu.Lock()
	defer mu.Unlock()
	// What it had fetched it hands out; the IDs make that harmless. It gets nothing new.
	if i := slices.IndexFunc(calls, func(v string) bool { return len(v) == 3 && v >= "v30" }); i >= 0 {
		t.Errorf("it got %s", calls[i])
	}
	for _, s := range sent {
		if !slices.Contains(calls[:3], s.Value) && l.Count(s.Value) == 0 {
			t.Errorf("%s is missing", s.Value)
		}
	}
}

func TestEntriesThatAreDeletedAreLeftOut(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	begun, wake := make(chan struct{}), make(chan struct{})
	one := open(t, redisstream.Options{Client: client, Stream: "S"})
	stop := run(t, one, func(ctx context.Context, _ *belfry.Record) error {
		close(begun)
		<-wake
		return ctx.Err()
	})
	sent := fill(t, server, "S", 0, 1)
	gone := add(t, client, "S", "v", "gone")
	<-begun
	go close(wake)
	stop()
	server.Must("XDEL", "S", gone)
	sent = append(sent, fill(t, server, "S", 1, 3)...)
	l := sourcetest.NewLedger()
	run(t, open(t, redisstream.Options{Client: client, Stream: "S"}), noting(l))
	await(t, l, 4)
	if err := l.Verdict(sent, false); err != nil {
		t.Error(err)
	}
}

func TestFieldsOfOthers(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	id := add(t, client, "S", "_class", "dto.Event", "message", "a \"b\" <é>", "topic", "/topic/x")
	s, err := redisstream.New(redisstream.Options{Client: client, Stream: "S", Node: "n", Lease: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan *belfry.Record, 1)
	run(t, s, func(_ context.Context, rec *belfry.Record) error {
		got <- rec
		return nil
	})
	rec := <-got
	if string(rec.Value) != `{"_class":"dto.Event","message":"a \"b\" <é>","topic":"/topic/x"}` || rec.Meta["topic"] != "/topic/x" ||
		rec.ID != "S/"+id || rec.Key != "" || fmt.Sprint(rec.Time.UnixMilli()) != id[:13] {
		t.Errorf("record is %+v, value %s", rec, rec.Value)
	}
}

func TestADeadLetterHasAllThatTheEntryHad(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	id := add(t, client, "S", "v", "bad", "other", "field")
	l := sourcetest.NewLedger()
	run(t, open(t, redisstream.Options{Client: client, Stream: "S"}), func(_ context.Context, rec *belfry.Record) error {
		if string(rec.Value) == "bad" {
			return &belfry.PoisonError{Reason: context.Canceled}
		}
		l.Done(rec)
		return nil
	})
	fill(t, server, "S", 0, 1)
	await(t, l, 1)
	for field, want := range map[string]string{"v": "bad", "other": "field", "dead:entry": id, "dead:group": "belfry", "dead:reason": "context canceled"} {
		if got := dead(t, client, "S", field); len(got) != 1 || got[0] != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
}

func TestAKeyThatIsNoStream(t *testing.T) {
	server := redistest.Start(t)
	client := connect(t, server)
	server.Must("SET", "S", "text")
	s := open(t, redisstream.Options{Client: client, Stream: "S"})
	l := sourcetest.NewLedger()
	run(t, s, noting(l))
	ctx, cancel := context.WithTimeout(t.Context(), 40*time.Second)
	defer cancel()
	for ok, reasons := s.Health(); ok; ok, reasons = s.Health() {
		if ctx.Err() != nil {
			t.Fatal("says that it is well", reasons)
		}
	}
	server.Must("DEL", "S")
	fill(t, server, "S", 0, 1)
	await(t, l, 1)
	for ok, reasons := s.Health(); !ok; ok, reasons = s.Health() {
		if ctx.Err() != nil {
			t.Fatal("does not say that it is well", reasons)
		}
	}
}

func TestOptions(t *testing.T) {
	err := redisstream.Options{Lease: time.Millisecond, Batch: 5000}.Validate()
	for _, want := range []string{"Options.Client is nil", "Options.Stream is empty", "Options.Node is empty", "Options.Lease is 1ms", "Options.Batch is 5000"} {
		if err == nil || !containsText(err, want) {
			t.Errorf("error is %v, want %q in it", err, want)
		}
	}
}

func TestInARedisCluster(t *testing.T) {
	cluster := redistest.StartCluster(t)
	client, err := redisconn.Options{URL: cluster.URL()}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	l := sourcetest.NewLedger()
	var sent []sourcetest.Sent
	for i := range 10 {
		v := fmt.Sprint("v", i)
		add(t, client, "plain", "v", v, "k", "k")
		sent = append(sent, sourcetest.Sent{Key: "k", Value: v})
	}
	add(t, client, "plain", "v", "bad")
	run(t, open(t, redisstream.Options{Client: client, Stream: "plain"}), func(_ context.Context, rec *belfry.Record) error {
		if string(rec.Value) == "bad" {
			return &belfry.PoisonError{Reason: context.Canceled}
		}
		l.Done(rec)
		return nil
	})
	add(t, client, "plain", "v", "last", "k", "k")
	await(t, l, 11)
	if err := l.Verdict(append(sent, sourcetest.Sent{Key: "k", Value: "last"}), false); err != nil || len(dead(t, client, "plain", "v")) != 1 {
		t.Error(err)
	}
}
