package bustest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// publishersPerNode is how many goroutines publish at the same time on each
// node.
const publishersPerNode = 3

// traffic is what was published.
type traffic struct {
	published [][]string // ids, by publisher, each in its order
	lasts     []string   // what everywhere added
}

// ids returns all.
func (t *traffic) ids() []string { return append(slices.Concat(t.published...), t.lasts...) }

// traffic lets several goroutines on every node publish n messages each: to one
// room, to several, to the namespace; such as are logged and such as are not. It
// returns when all have come to all nodes, or should have.
func (c *cluster) traffic(ctx context.Context, n int) (*traffic, error) {
	publishers := len(c.members) * publishersPerNode
	t := &traffic{published: make([][]string, publishers)}
	errs := make([]error, publishers)
	var wg sync.WaitGroup
	for p := range publishers {
		node := c.members[p%len(c.members)]
		wg.Go(func() {
			pick := rand.New(rand.NewPCG(uint64(p), 7))
			for i := range n {
				m := randomMessage(pick, fmt.Sprintf("p%d.%d", p, i))
				t.published[p] = append(t.published[p], idOf(m))
				if errs[p] = node.publish(ctx, m); errs[p] != nil {
					return
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	var err error
	t.lasts, err = c.everywhere(ctx, belfry.Target{}, to(trafficRooms...))
	return t, err
}

var trafficRooms = []belfry.Room{"a", "b", "c", "d", "e"}

func randomMessage(pick *rand.Rand, id string) *belfry.Message {
	var target belfry.Target
	for range pick.IntN(4) {
		target.Rooms = append(target.Rooms, trafficRooms[pick.IntN(len(trafficRooms))])
	}
	if pick.IntN(4) == 0 {
		target.Except = []belfry.Room{trafficRooms[pick.IntN(len(trafficRooms))]}
	}
	m := event(id, target)
	switch pick.IntN(6) {
	case 0:
		m.Volatile = true
	case 1:
		m.Unlogged = true
	case 2:
		m.Kind = belfry.ServerSideEmit
	case 3:
		m.Kind, m.Data, m.Rooms = belfry.Join, nil, []belfry.Room{belfry.Room(id)}
	}
	return m
}
