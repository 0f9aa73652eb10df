package webhook_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/queue/webhook"
)

func newSecret() string {
	var b [32]byte
	_, _ = rand.Read(b[:])
	return "whsec_" + base64.StdEncoding.EncodeToString(b[:])
}

// receiver is the backend. It verifies each request and counts the events by id.
type receiver struct {
	*httptest.Server
	secret string
	// respond answers the nth request for an event. nil: 204.
	respond func(w http.ResponseWriter, r *http.Request, e *client.WebhookEvent, n int)

	mu      sync.Mutex
	seen    map[string]int // requests by event id
	taken   map[string]int // those that were answered with 2xx
	orders  map[string][]string
	changed chan struct{}
	wrong   []error
}

func newReceiver(t testing.TB) *receiver {
	t.Helper()
	r := &receiver{secret: newSecret(), seen: map[string]int{}, taken: map[string]int{}, orders: map[string][]string{}, changed: make(chan struct{})}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

// status keeps the status for the account.
type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) {
	s.code = code
	s.ResponseWriter.WriteHeader(code)
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return // the sender was killed
	}
	e, err := client.VerifyWebhook(req.Header, body, 0, r.secret)
	if err == nil && req.Header.Get("Content-Type") != "application/json" {
		err = fmt.Errorf("type is %q", req.Header.Get("Content-Type"))
	}
	r.mu.Lock()
	if err != nil {
		r.wrong = append(r.wrong, err)
		r.mu.Unlock()
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	r.seen[e.Data.ID]++
	n := r.seen[e.Data.ID]
	r.tell()
	r.mu.Unlock()
	s := &status{w, http.StatusNoContent}
	if r.respond != nil {
		s.code = http.StatusOK
		r.respond(s, req, e, n)
	} else {
		s.WriteHeader(http.StatusNoContent)
	}
	r.note(e, s.code)
}

func (r *receiver) note(e *client.WebhookEvent, code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if code/100 == 2 {
		if r.taken[e.Data.ID]++; r.taken[e.Data.ID] == 1 {
			r.orders[e.Data.Key] = append(r.orders[e.Data.Key], e.Data.ID)
		}
	}
	r.tell()
}

// tell wakes those who await, under r.mu.
func (r *receiver) tell() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// await waits for a condition that is asked under r.mu.
func (r *receiver) await(t testing.TB, what string, done func() bool) {
	t.Helper()
	for deadline := time.After(40 * time.Second); ; {
		r.mu.Lock()
		ok, changed := done(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatal("waits in vain: " + what)
		}
	}
}

// verdict compares what was taken with the ids that were appended, in the order of
// each key. With again, an event may be taken more than once.
func (r *receiver) verdict(sent []*belfry.Event, again bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var wrong []string
	for _, err := range r.wrong {
		wrong = append(wrong, err.Error())
	}
	next := make(map[string]int)
	for _, e := range sent {
		if n := r.taken[e.ID]; n == 0 || n > 1 && !again {
			wrong = append(wrong, fmt.Sprintf("%s was taken %d times", e.ID, n))
			continue
		}
		if i := next[e.Key]; e.Key != "" && (i >= len(r.orders[e.Key]) || r.orders[e.Key][i] != e.ID) {
			wrong = append(wrong, fmt.Sprintf("%s is not number %d of key %s", e.ID, i, e.Key))
		}
		next[e.Key]++
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d wrong of %d: %s", len(wrong), len(sent), strings.Join(wrong[:min(5, len(wrong))], ", "))
}

func (r *receiver) options() webhook.Options {
	return webhook.Options{
		Name: "w", URL: r.URL, Secret: newSecret(), OldSecret: r.secret, Backoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond,
		ReclaimAfter: 30 * time.Second, // who is slow is not dead
	}
}

// mortal are the options of nodes that are killed: they are soon taken for dead.
func (r *receiver) mortal() webhook.Options {
	o := r.options()
	o.ReclaimAfter = 300 * time.Millisecond
	return o
}

func newWebhook(t testing.TB, o webhook.Options) *webhook.Webhook {
	t.Helper()
	w, err := webhook.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// run sends until stop, which waits for the end.
func run(t testing.TB, w *webhook.Webhook, q belfry.Consumer) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := w.Run(ctx, q); err != nil {
			t.Error(err)
		}
	}()
	stop = func() {
		cancel()
		<-done
	}
	t.Cleanup(stop)
	return stop
}

func event(i int) *belfry.Event {
	e := &belfry.Event{
		ID: fmt.Sprint("ada:order:", i), Namespace: "/", Name: "order", Args: []byte(fmt.Sprintf(`[{"n":%d}]`, i)),
		Socket: "s", User: "ada", Node: "n", Time: time.Now(),
	}
	if i%4 > 0 {
		e.Key = fmt.Sprint("k", i%4)
	}
	return e
}

func appendAll(t testing.TB, q belfry.Queue, from, n int) (all []*belfry.Event) {
	t.Helper()
	for i := from; i < from+n; i++ {
		e := event(i)
		if err := q.Append(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}
