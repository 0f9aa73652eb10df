package backend

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry/client"
)

// receiver is the URL of a webhook: it verifies each request, does its work once for
// each id, and counts.
type receiver struct {
	secret string
	addr   string
	broken bool // do what one must not: the control

	server *http.Server

	mu      sync.Mutex
	ids     map[string]bool
	effects []Order
	lines   []Line // a request is a delivery
	early   int    // deliveries of what was done, before anything had happened
	faults  bool   // something has happened by now
	forged  int    // requests that are not signed, or are no order
}

// newReceiver describes one. It listens at the same address each time it is opened.
func newReceiver(secret string, broken bool) (*receiver, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	return &receiver{secret: secret, addr: l.Addr().String(), broken: broken, ids: make(map[string]bool)}, l.Close()
}

func (r *receiver) open() error {
	l, err := net.Listen("tcp", r.addr)
	if err != nil {
		return err
	}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(l) }()
	return nil
}

// close breaks all requests.
func (r *receiver) close() {
	if r.server != nil {
		_ = r.server.Close()
	}
}

// happened says that from now on events may come twice.
func (r *receiver) happened() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.faults = true
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 1<<20))
	if err != nil {
		http.Error(w, "cannot be read", http.StatusBadRequest)
		return
	}
	id, order, err := r.read(req.Header, body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil {
		r.forged++
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	w.WriteHeader(r.work(id, order, req.Header.Get("Belfry-Try")))
}

func (r *receiver) read(h http.Header, body []byte) (id string, o Order, err error) {
	e, err := client.VerifyWebhook(h, body, 0, r.secret)
	if err != nil {
		return "", o, err
	}
	if o, err = DecodeOrder(e.Data.Args); err == nil && e.Data.ID == "" {
		err = errors.New("no id")
	}
	return e.Data.ID, o, err
}

// wrongShare is of how many events the answer to one gets lost; of how many one is
// dealt with wrongly, by the control.
const wrongShare = 20

// work does what an event wants, and returns what is answered.
func (r *receiver) work(id string, o Order, try string) (status int) {
	tries, _ := strconv.Atoi(try)
	known := r.ids[id]
	if known && !r.faults {
		r.early++
	}
	r.ids[id] = true
	line := Line{
		Kind: Begun, At: time.Now().UnixNano(), Consumer: "webhook", Entry: id, Tries: tries, Order: o,
	}
	r.lines = append(r.lines, line)
	line.Kind, line.At = Ended, line.At+1
	r.lines = append(r.lines, line)
	wrong := (o.Key + o.Number) % wrongShare
	switch {
	case r.broken && wrong == 1: // done never
	case r.broken && wrong == 2: // done again for each request
		r.effects = append(r.effects, o)
		if !known {
			return http.StatusServiceUnavailable
		}
	case !known:
		r.effects = append(r.effects, o)
		if r.faults && wrong == 3 { // the answer gets lost: it comes again, and is known
			return http.StatusServiceUnavailable
		}
	}
	return http.StatusOK
}

// settled returns the account.
func (r *receiver) settled(s sent, wanted int) Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	report := settle(s, r.lines, r.effects, wanted)
	report.Needless, report.Forged = r.early, r.forged
	return report
}
