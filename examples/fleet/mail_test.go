package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/examples/fleet"
)

// postbox takes mails, and fails as often as it is told to.
type postbox struct {
	mu    sync.Mutex
	fail  int
	tries map[string]int // by id
	came  chan fleet.Mail
}

func newPostbox(fail int) *postbox {
	return &postbox{fail: fail, tries: make(map[string]int), came: make(chan fleet.Mail, 100)}
}

func (p *postbox) send(_ context.Context, m fleet.Mail) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.tries[m.ID]++
	if p.tries[m.ID] <= p.fail {
		return errors.New("no mail today")
	}
	p.came <- m
	return nil
}

func mailed(f fleet.MailFunc) func(*fleet.Options) {
	return func(o *fleet.Options) { o.Mail, o.MailTo = f, "team@example.com" }
}

// TestOneMail is weakness 1: N replicas sent N mails, and what failed was never sent.
func TestOneMail(t *testing.T) { everywhere(t, oneMail) }

func oneMail(t *testing.T, with shared) {
	box := newPostbox(1)
	with.with = mailed(box.send)
	nodes := cluster(t, 3, with)
	for i := range 6 { // each reading comes to each node, twice
		nodes[i%3].take(warm("NORTH-0002", 0), shock("NORTH-0001", 1), shock("SOUTH-0001", 2))
	}
	got := map[string]fleet.Mail{}
	for range 2 {
		m := <-box.came
		got[m.ID] = m
	}
	m := got[id(shock("NORTH-0001", 1))]
	if m.To != "team@example.com" || m.Truck != "NORTH-0001" || m.Subject != "CRITICAL: NORTH-0001" || !strings.HasPrefix(m.Message, "High Shock Detected: 6.0G\n") {
		t.Errorf("the mail is %+v", m)
	}
	box.mu.Lock()
	defer box.mu.Unlock()
	if len(got) != 2 || len(box.tries) != 2 || len(box.came) != 0 {
		t.Errorf("mailed are %v, tried %v; want the two shocks once", got, box.tries)
	}
}

// TestNobodyWaitsForMail is weakness 6: neither readings nor alerts wait for the mail
// service.
func TestNobodyWaitsForMail(t *testing.T) {
	release, called := make(chan struct{}), make(chan struct{}, 1)
	n := cluster(t, 1, shared{with: mailed(func(ctx context.Context, _ fleet.Mail) error {
		select {
		case called <- struct{}{}:
		default:
		}
		<-release
		return nil
	})})[0]
	d := n.open("manager")
	d.watch(map[string]any{"trucks": []string{"NORTH-0001"}})
	n.take(shock("NORTH-0001", 0))
	<-called
	n.take(shock("NORTH-0001", 100))
	d.waitUpdate()
	if got := d.waitUpdate(); got != shock("NORTH-0001", 100) {
		t.Errorf("the update is %+v", got)
	}
	if a, b := d.waitAlert(), d.waitAlert(); a.ID != id(shock("NORTH-0001", 0)) || b.ID != id(shock("NORTH-0001", 100)) {
		t.Errorf("the alerts are %+v, %+v", a, b)
	}
	close(release)
}

func TestMailByHTTP(t *testing.T) {
	var body map[string]string
	var key string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(text, &body)
		key = r.Header.Get("Idempotency-Key")
		switch r.URL.Path {
		case "/down":
			w.WriteHeader(http.StatusServiceUnavailable)
		case "/never":
			w.WriteHeader(http.StatusUnprocessableEntity)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}))
	defer service.Close()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	m := fleet.Mail{ID: "A-1:CRITICAL:1", To: "a@b.c", Truck: "A-1", Subject: "s", Message: "m"}
	send := func(path string) error { return fleet.MailByHTTP(client, service.URL+path)(t.Context(), m) }
	var poison *belfry.PoisonError
	if err := send("/"); err != nil || key != m.ID || len(body) != 4 || body["to"] != "a@b.c" || body["truckId"] != "A-1" || body["subject"] != "s" || body["message"] != "m" {
		t.Errorf("sent is %v with %s, %v", body, key, err)
	}
	if err := send("/down"); err == nil || errors.As(err, &poison) {
		t.Errorf("503: error is %v, want one that passes", err)
	}
	if err := send("/never"); !errors.As(err, &poison) {
		t.Errorf("422: error is %v, want one that does not pass", err)
	}
}
