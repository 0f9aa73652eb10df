//go:build unix

package webhook_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/queue/webhook"
	"github.com/seed-09a96375/belfry/redisconn"
)

func openQueue(t testing.TB, url string) *redisstream.Queue {
	t.Helper()
	q, err := redisstream.New(t.Context(), redisstream.Options{Redis: redisconn.Options{URL: url}, Name: "w", Groups: []string{"webhook:w"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

// shaky fails every third first request, in different ways.
func shaky(w http.ResponseWriter, _ *http.Request, e *client.WebhookEvent, n int) {
	switch {
	case n == 1 && len(e.Data.ID)%3 == 0:
		w.WriteHeader(http.StatusInternalServerError)
	case n == 1 && e.Data.ID[len(e.Data.ID)-1]%3 == 0:
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func TestEachEventIsDeliveredOnceByTwoNodes(t *testing.T) {
	server := redistest.Start(t)
	r := newReceiver(t)
	r.respond = shaky
	for range 2 {
		run(t, newWebhook(t, r.options()), openQueue(t, server.URL()))
	}
	sent := appendAll(t, openQueue(t, server.URL()), 0, 400)
	r.await(t, "all", func() bool { return len(r.taken) == 400 })
	if err := r.verdict(sent, false); err != nil {
		t.Error(err)
	}
}

func TestInMemory(t *testing.T) {
	q, err := memory.New(memory.Options{Groups: []string{"webhook:w"}})
	if err != nil {
		t.Fatal(err)
	}
	r := newReceiver(t)
	r.respond = shaky
	run(t, newWebhook(t, r.options()), q)
	sent := appendAll(t, q, 0, 100)
	r.await(t, "all", func() bool { return len(r.taken) == 100 })
	if err := r.verdict(sent, false); err != nil {
		t.Error(err)
	}
}

// TestTheLedgerFindsWhatIsLost is the negative control: who is done with an event
// before the receiver has it loses what the receiver refuses.
func TestTheLedgerFindsWhatIsLost(t *testing.T) {
	q, err := memory.New(memory.Options{Groups: []string{"g"}})
	if err != nil {
		t.Fatal(err)
	}
	r := newReceiver(t)
	r.respond = shaky
	w := newWebhook(t, r.options())
	sent := appendAll(t, q, 0, 50)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- q.Consume(ctx, "g", func(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
			_, _ = w.Handle(ctx, d)
			return nil, nil
		}, belfry.ConsumeOptions{})
	}()
	r.await(t, "one request for each", func() bool { return len(r.seen) == 50 })
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if err := r.verdict(sent, true); err == nil {
		t.Error("the account finds nothing")
	}
}

func TestADeadLetterSaysWhy(t *testing.T) {
	server := redistest.Start(t)
	r := newReceiver(t)
	r.respond = func(w http.ResponseWriter, _ *http.Request, e *client.WebhookEvent, _ int) {
		switch e.Data.ID {
		case "ada:order:0":
			w.WriteHeader(http.StatusGone)
		case "ada:order:1":
			w.WriteHeader(http.StatusInternalServerError)
		}
	}
	o := r.options()
	o.MaxTries = 3
	q := openQueue(t, server.URL())
	run(t, newWebhook(t, o), q)
	appendAll(t, q, 0, 3)
	r.await(t, "the third", func() bool { return r.taken["ada:order:2"] == 1 && r.seen["ada:order:1"] == 3 })
	reasons := map[string]string{}
	for len(reasons) < 2 {
		dead, err := q.Dead(t.Context(), "", 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range dead {
			reasons[d.Fields["id"]] = d.Reason
		}
	}
	if reasons["ada:order:0"] != "status 410" && reasons["ada:order:0"] == "" || r.seen["ada:order:0"] != 1 || reasons["ada:order:1"] == "" {
		t.Errorf("dead letters are %v, requests %v", reasons, r.seen)
	}
}

func TestTheReplyReachesTheClient(t *testing.T) {
	server := redistest.Start(t)
	r := newReceiver(t)
	r.respond = func(w http.ResponseWriter, _ *http.Request, _ *client.WebhookEvent, _ int) {
		_, _ = w.Write([]byte(`{"price":7}`))
	}
	run(t, newWebhook(t, r.options()), openQueue(t, server.URL()))
	q := openQueue(t, server.URL())
	e := event(1)
	e.Reply = true
	if err := q.Append(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	a, err := q.Await(t.Context(), e.ID)
	if err != nil || string(a.Args) != `[{"price":7}]` {
		t.Errorf("answer is %+v, %v", a, err)
	}
}

const childEnv = "BELFRY_WEBHOOK_CHILD"

type childSpec struct{ Redis, URL, Secret string }

// child is a node: it sends until it is killed.
func child(text string) int {
	var spec childSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return 1
	}
	ctx := context.Background()
	q, err := redisstream.New(ctx, redisstream.Options{Redis: redisconn.Options{URL: spec.Redis}, Name: "w"})
	if err != nil {
		return 2
	}
	r := receiver{Server: &httptest.Server{URL: spec.URL}, secret: spec.Secret}
	w, err := webhook.New(r.mortal())
	if err != nil {
		return 3
	}
	if w.Run(ctx, q) != nil {
		return 4
	}
	return 0
}

// TestNodesAreKilled: each event is delivered at least once, in the order of its
// key, also if the node that sends it is killed.
func TestNodesAreKilled(t *testing.T) {
	server := redistest.Start(t)
	r := newReceiver(t)
	hold := make(chan struct{})
	r.respond = func(w http.ResponseWriter, req *http.Request, _ *client.WebhookEvent, n int) {
		if n == 1 {
			select {
			case <-hold:
			case <-req.Context().Done(): // its sender is dead
				w.WriteHeader(http.StatusInternalServerError)
				return
			}
		}
		w.WriteHeader(http.StatusNoContent)
	}
	q := openQueue(t, server.URL())
	sent := appendAll(t, q, 0, 200)
	spec, err := json.Marshal(childSpec{server.URL(), r.URL, r.secret})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 {
		cmd := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // itself
		cmd.Env = append(os.Environ(), childEnv+"="+string(spec))
		cmd.Stderr = os.Stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		requests := func() (n int) {
			for _, k := range r.seen {
				n += k
			}
			return n
		}
		r.await(t, "requests of a node", func() bool { return requests() >= 3*(i+1) })
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	close(hold)
	run(t, newWebhook(t, r.mortal()), q)
	r.await(t, "all", func() bool { return len(r.taken) == len(sent) })
	if err := r.verdict(sent, true); err != nil {
		t.Error(err)
	}
}
