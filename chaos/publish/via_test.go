package publish

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/chaos/account"
)

// seen counts the publishes of each id at an API that refuses one of three.
type seen struct {
	mu    sync.Mutex
	all   int
	byID  map[string]int
	args  map[[2]int]int
	wrong int
}

func (s *seen) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var m struct {
		ID    string
		Rooms []string
		Args  [2]int
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || len(m.Rooms) != 1 || r.URL.Path != "/api/publish" {
		s.wrong++
	}
	s.all++
	if s.all%3 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	s.byID[m.ID]++
	s.args[m.Args]++
}

func byAPI(t *testing.T, f Fault) *seen {
	t.Helper()
	s := &seen{byID: make(map[string]int), args: make(map[[2]int]int)}
	api := httptest.NewServer(s)
	defer api.Close()
	p := New(Options{Nodes: []string{api.URL}, Streams: []int{0, 1}, Via: ByAPI, Fault: f, Patience: time.Minute})
	const messages = 2 * lostAnswer
	p.Run(t.Context(), []int{0, 1}, messages, 10*time.Millisecond)
	if n := p.Sent().Count(account.Accepted); n != 2*messages {
		t.Errorf("%d accepted of %d", n, 2*messages)
	}
	if s.wrong > 0 || len(s.args) != 2*messages {
		t.Errorf("%d wrong requests, %d messages", s.wrong, len(s.args))
	}
	return s
}

// repeated counts what was accepted more than once.
func repeated[K comparable](times map[K]int) (n int) {
	for _, t := range times {
		if t > 1 {
			n++
		}
	}
	return n
}

// TestRepeatsHaveTheSameID: what is repeated is the same message, with its id.
func TestRepeatsHaveTheSameID(t *testing.T) {
	s := byAPI(t, "")
	if len(s.byID) != len(s.args) || repeated(s.byID) == 0 || repeated(s.byID) != repeated(s.args) {
		t.Errorf("%d ids for %d messages; repeated: %d ids, %d messages", len(s.byID), len(s.args), repeated(s.byID), repeated(s.args))
	}
}

// TestWithoutIDs: the control repeats without.
func TestWithoutIDs(t *testing.T) {
	s := byAPI(t, NoIDs)
	if len(s.byID) != 1 || repeated(s.args) == 0 {
		t.Errorf("%d ids, %d messages repeated", len(s.byID), repeated(s.args))
	}
}
