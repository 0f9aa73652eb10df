package engineio

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// TestStress lets everything happen to many sessions at once; the race detector
// and the test's Receiver look for what must not be: a message after the end,
// two ends, a session that is left.
func TestStress(t *testing.T) {
	sessions := 300
	if testing.Short() {
		sessions = 50
	}
	ts := serve(t, Options{PingInterval: 20 * time.Millisecond, PingTimeout: 40 * time.Millisecond, UpgradeTimeout: 30 * time.Millisecond, MaxQueue: 10_000}, func(s *testSession) {
		s.onMessage = func(data []byte, _ bool) error {
			switch string(data) {
			case "close":
				s.Close()
			case "refuse":
				return errRefused
			}
			return nil
		}
	})
	var all sync.WaitGroup
	limit := make(chan struct{}, 16)
	for i := range sessions {
		limit <- struct{}{}
		all.Go(func() {
			defer func() { <-limit }()
			chaos(ts, rand.New(rand.NewPCG(1, uint64(i))))
		})
	}
	all.Wait()
	for range len(ts.sessions) {
		s := <-ts.sessions
		receive(t, s.closed, "the end of a session that nobody serves")
	}
	for _, s := range ts.index.all() {
		s.cut() // it waits for a GET
	}
	eventually(t, "no session is left", func() bool { return len(ts.index.all()) == 0 && ts.Sessions() == 0 })
}

// chaos is the life of one session: several clients and several users of the
// server's side do what they like.
func chaos(ts *testServer, random *rand.Rand) {
	var p *pollClient
	var s *Session
	if random.IntN(2) == 0 {
		p = ts.poll(4)
		s = ts.find(p.sid)
	} else {
		w, sid := ts.ws(4)
		p = &pollClient{ts.t, ts.addr, 4, sid}
		s = ts.find(sid)
		go w.untilEOF()
	}
	if s == nil {
		return // ended already
	}
	var actors sync.WaitGroup
	for range 4 {
		seed := random.Uint64()
		actors.Go(func() {
			random := rand.New(rand.NewPCG(seed, 0))
			for range 8 {
				act(ts, p, s, random)
			}
		})
	}
	actors.Wait()
	s.Resume()
}

func act(ts *testServer, p *pollClient, s *Session, random *rand.Rand) {
	switch random.IntN(12) {
	case 0, 1, 2:
		o := SendOptions{Volatile: random.IntN(2) == 0, Overflow: poll.Overflow(random.IntN(3))}
		err := s.Send(textWith(strings.Repeat("x", random.IntN(3000)), "bin"), o)
		if err != nil && !errors.Is(err, poll.ErrClosed) && !errors.Is(err, poll.ErrDropped) && !errors.Is(err, poll.ErrSlow) {
			ts.t.Errorf("send: %v", err)
		}
	case 3:
		s.Pause()
		s.Resume()
	case 4:
		try(ts, get(p.query()))
	case 5, 6:
		try(ts, post(p.query(), "4a\x1e4b"))
	case 7:
		half := post(p.query(), "4abcdef")
		try(ts, half[:len(half)-3])
	case 8:
		try(ts, upgradeRequest(ws4+"&sid="+p.sid)+string(frameBytes(1, "2probe"))+string(frameBytes(1, "5"))+string(frameBytes(1, "4x")))
	case 9:
		try(ts, post(p.query(), []string{"1", "?", "2", "4close", "4refuse", ""}[random.IntN(6)]))
	case 10:
		if random.IntN(4) == 0 {
			s.Close()
		}
	default:
		_ = fmt.Sprint(s.Writable(), s.Transport(), s.Handshake().Header())
	}
}

// try sends a request and reads for a moment, then it is gone.
func try(ts *testServer, request string) {
	c, r := dial(ts.t, ts.addr)
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		return
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Millisecond)); err != nil {
		return
	}
	if res, err := http.ReadResponse(r, nil); err == nil {
		_, _ = io.Copy(io.Discard, res.Body)
	}
}

// untilEOF answers nothing.
func (w *wsClient) untilEOF() {
	_, _ = io.Copy(io.Discard, w.r)
	w.c.Close()
}
