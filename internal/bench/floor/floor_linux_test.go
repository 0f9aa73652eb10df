package floor

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/frame"
	"github.com/seed-09a96375/belfry/internal/bench/stamp"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// running is a floor server for a test to order about.
type running struct {
	t       *testing.T
	orders  *json.Encoder
	pipe    io.Closer
	reports *json.Decoder
	ended   chan error
}

func begin(t *testing.T, s worker.Setup) *running {
	t.Helper()
	in, orders := io.Pipe()
	reports, out := io.Pipe()
	r := &running{
		t: t, orders: json.NewEncoder(orders), pipe: orders,
		reports: json.NewDecoder(reports), ended: make(chan error, 1),
	}
	go func() {
		err := Run(in, out)
		in.Close()
		out.Close()
		r.ended <- err
	}()
	r.order(worker.Order{Op: worker.OpSetup, Setup: &s})
	return r
}

func (r *running) order(o worker.Order) {
	r.t.Helper()
	if err := r.orders.Encode(o); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) report() (rep worker.Report) {
	r.t.Helper()
	if err := r.reports.Decode(&rep); err != nil {
		r.t.Fatal(err)
	}
	return rep
}

// client connects as a member of a room.
func client(t *testing.T, addr string, room byte) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp4", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte{0, 0, 0, room}); err != nil {
		t.Fatal(err)
	}
	return c
}

// next reads one frame and returns the stamp in it.
func next(t *testing.T, c net.Conn) stamp.Stamp {
	t.Helper()
	d, err := dialect.New(dialect.SocketIO)
	if err != nil {
		t.Fatal(err)
	}
	var p []byte
	for {
		f, n, err := frame.Next(p)
		if err != nil {
			t.Fatal(err)
		}
		if n > 0 {
			e, _ := d.Parse(f.Data)
			s, ok := stamp.Parse(e.Payload)
			if !ok || e.Kind != dialect.Message || len(e.Payload) != 40 {
				t.Fatalf("got %q", f.Data)
			}
			return s
		}
		b := make([]byte, 1) // not more than this frame
		if _, err := c.Read(b); err != nil {
			t.Fatal(err)
		}
		p = append(p, b...)
	}
}

func setup(clients, rooms int) worker.Setup {
	return worker.Setup{
		Plan: worker.Plan{Clients: clients, Rooms: rooms, Publishers: 1},
		Rate: 1000, Size: 40, Timeout: 10 * time.Second, Floor: true,
	}
}

func TestFloorWritesToRoomsInTurn(t *testing.T) {
	r := begin(t, setup(3, 2))
	addr := r.report().Addr
	members := []net.Conn{client(t, addr, 0), client(t, addr, 1), client(t, addr, 1)}
	if rep := r.report(); rep.Op != worker.OpSetup {
		t.Fatalf("got %+v", rep)
	}
	r.order(worker.Order{Op: worker.OpStart})
	for seq := range uint32(5) {
		for i, room := range []uint32{0, 1, 1} {
			if s := next(t, members[i]); s.Source != room || s.Seq != seq {
				t.Errorf("client %d got %+v, want number %d of room %d", i, s, seq, room)
			}
		}
	}
	r.order(worker.Order{Op: worker.OpStop})
	sent := r.report().Sent
	if len(sent) != 2 || sent[0].Sent < 5 || sent[1].Source != 1 || sent[1].Sent < 5 {
		t.Errorf("sent %+v", sent)
	}
	r.order(worker.Order{Op: worker.OpQuit})
	if err := <-r.ended; err != nil {
		t.Error(err)
	}
}

func TestFloorRefusesAnUnknownRoom(t *testing.T) {
	r := begin(t, setup(1, 1))
	client(t, r.report().Addr, 9)
	if f := r.report().Fault; f == nil || !strings.Contains(f.Text, "room 9") {
		t.Errorf("reported %+v", f)
	}
	r.pipe.Close()
	var unknown roomError
	if err := <-r.ended; !errors.As(err, &unknown) || unknown != 9 {
		t.Errorf("ended with %v", err)
	}
}

func TestFloorDoesNotWaitForClientsWhenItsParentIsGone(t *testing.T) {
	r := begin(t, setup(1, 1))
	r.report()
	r.pipe.Close()
	if f := r.report().Fault; f == nil {
		t.Error("no fault")
	}
	if err := <-r.ended; err == nil {
		t.Error("ended well without its clients")
	}
}
