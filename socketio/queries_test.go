package socketio_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio"
)

// mute is a node that is alive and never answers, like one that hangs.
type mute struct{}

func (mute) ID() belfry.NodeID       { return "mute" }
func (mute) Deliver(*belfry.Message) {}
func (mute) Replied(*belfry.Reply)   {}

// A query gets what the nodes that answer know, and the names of those that do
// not, within its deadline.
func TestQueriesNameWhoIsMissing(t *testing.T) { onEachBus(t, testQueriesNameWhoIsMissing) }

func testQueriesNameWhoIsMissing(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, socketio.Options{})
	for _, n := range nodes {
		socketio.OnServerSide(n.Namespace, "ping", func(context.Context, socketio.Args) (string, error) { return "pong", nil })
		c, id := connect(t, n)
		c.pump()
		s, _ := n.Socket(id)
		if err := s.Join("room"); err != nil {
			t.Fatal(err)
		}
	}
	link, err := nodes[0].bus.Attach(t.Context(), mute{})
	if err != nil {
		t.Fatal(err)
	}
	a := nodes[0]
	queries := map[string]func(ctx context.Context) (answers int, err error){
		"fetchSockets": func(ctx context.Context) (int, error) {
			all, err := a.To("room").FetchSockets(ctx)
			return len(all), err
		},
		"allRooms": func(ctx context.Context) (int, error) {
			rooms, err := a.AllRooms(ctx)
			return 2 * len(rooms), err
		},
		"serverSideEmit": func(ctx context.Context) (int, error) {
			answers, err := a.ServerSideEmitAck(ctx, "ping")
			return 2 * len(answers), err
		},
	}
	var asking sync.WaitGroup
	for name, query := range queries {
		asking.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			n, err := query(ctx)
			var missing *hub.Incomplete
			if !errors.As(err, &missing) || !slices.Equal(missing.Missing, []belfry.NodeID{"mute"}) {
				t.Errorf("%s: error is %v, want one that names the node", name, err)
			}
			if n != 2 {
				t.Errorf("%s: %d answers, want those of the two that answer", name, n)
			}
		})
	}
	asking.Wait()
	if err := link.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, query := range queries {
		if n, err := query(t.Context()); n != 2 || err != nil {
			t.Errorf("%s, once the node has left: %d answers, %v", name, n, err)
		}
	}
}
