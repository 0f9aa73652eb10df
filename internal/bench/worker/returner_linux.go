package worker

import (
	"bytes"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// retryAfter is how long a client waits that could not come back. One whose
// connection breaks does not wait at all: the server gets all of them at once.
const retryAfter = 100 * time.Millisecond

// returner brings clients back whose connection broke.
type returner struct {
	*loop
	sessions []session // of each client; nil if nobody comes back
	away     []int     // clients that are to connect again
	pending  int       // clients under way
	latency  *hdrhistogram.Histogram
}

// session is what a client needs to come back, and how that went.
type session struct {
	secret, offset []byte
	lost           int64 // when the connection broke for the first time; 0: it did not
	retry          int64 // when to try, for a client that is away
	back           int64 // when the client was connected again; 0: it is not
	whole          int64 // when it last got what was sent before it was back
	recovered      bool  // it has its session
	underway       bool
}

func (r *returner) prepare() {
	if r.set.Return {
		r.sessions = make([]session, len(r.clients))
		r.latency = newHistogram()
	}
}

// session returns that of a client; nil if nobody comes back.
func (r *returner) session(i int) *session {
	if r.sessions == nil {
		return nil
	}
	return &r.sessions[i]
}

// reached notes the offset of what a client got last.
func (r *returner) reached(i int, offset []byte) {
	if s := r.session(i); s != nil && len(offset) > 0 {
		s.offset = append(s.offset[:0], offset...)
	}
}

// leave takes a client whose connection broke; false if it is not to come back.
func (r *returner) leave(i int) bool {
	s := r.session(i)
	if s == nil {
		return false
	}
	now := r.clock.Now()
	if s.underway { // it has not come far
		s.underway = false
		r.pending--
		s.retry = now + int64(retryAfter)
	} else {
		s.retry, s.back, s.recovered = now, 0, false
	}
	if s.lost == 0 {
		s.lost = now
	}
	c := &r.clients[i]
	c.peer = (c.peer + 1) % len(r.dialer.peers)
	c.waiting, c.partial, c.whole, c.out = false, c.partial[:0], c.whole[:0], c.out[:0]
	r.away = append(r.away, i)
	return true
}

// proceed begins as many connections as may be under way.
func (r *returner) proceed(now int64) {
	if r.pending > 0 {
		r.dialer.overdue(now)
	}
	for r.pending < r.set.Concurrency && len(r.away) > 0 && r.sessions[r.away[0]].retry <= now {
		i := r.away[0]
		r.away = r.away[1:]
		r.sessions[i].underway = true
		r.pending++
		if err := r.dialer.dial(i, now); err != nil {
			r.failed(i, err)
		}
	}
}

// failed takes a client that could not even begin to connect.
func (r *returner) failed(i int, err error) {
	if r.clients[i].live() {
		r.lose(i, err)
		return
	}
	r.leave(i) // it has no socket
}

// returned takes a client that is connected again. Without its old session it
// joins its room anew, as an application would have it.
func (r *returner) returned(i int, secret []byte) {
	s := &r.sessions[i]
	s.underway = false
	r.pending--
	s.back = r.clock.Now()
	s.whole = s.back
	_ = r.latency.RecordValue(max((s.back-s.lost)/int64(time.Microsecond), 1)) // fails beyond the bounds only
	s.recovered = len(secret) > 0 && bytes.Equal(secret, s.secret)
	if s.recovered {
		return
	}
	s.secret = append(s.secret[:0], secret...)
	if r.set.Plan.Listens(r.set.First + i) {
		r.joiner.join(i)
	}
}

// arrived takes the first arrival of a message at a client.
func (r *returner) arrived(i int, sent, now int64) {
	if s := r.session(i); s != nil && sent < s.back {
		s.whole = max(s.whole, now) // it may have been read before its client was back
	}
}

// missing returns how many clients have not come back.
func (r *returner) missing() int { return len(r.away) + r.pending }

// sum reports how the returns went.
func (r *returner) sum() *Returns {
	out := &Returns{}
	for i := range r.sessions {
		s := &r.sessions[i]
		if s.lost != 0 {
			out.Lost++
		}
		if s.back != 0 {
			out.Back++
			out.LastBack = max(out.LastBack, s.back)
			out.LastWhole = max(out.LastWhole, s.whole)
		}
		if s.recovered {
			out.Recovered++
		}
	}
	if r.latency != nil {
		// Encoding fails on a histogram with broken bounds only.
		out.Latency, _ = r.latency.Encode(hdrhistogram.V2CompressedEncodingCookieBase)
	}
	return out
}
