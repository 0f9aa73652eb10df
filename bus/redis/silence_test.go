//go:build unix

package redis

import (
	"context"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestSilence takes subscriptions away without a word to the node: nothing is
// lost or doubled, and the order is kept.
func TestSilence(t *testing.T) {
	for name, fault := range map[string]func(*testing.T, *redistest.Pair, *link){
		"rooms": func(t *testing.T, p *redistest.Pair, l *link) {
			if l.bus.opts.Interest {
				p.RoomsOnly = true // other rooms are ahead by then
				check(t, l.drop(t.Context(), roomChannel("/", redistest.Room(1))))
			} else {
				check(t, l.dropRooms(t.Context()))
			}
			<-time.After(2500 * time.Millisecond)
		},
		"own channel": func(t *testing.T, _ *redistest.Pair, l *link) {
			check(t, l.drop(t.Context(), nodeChannel(l.id)))
			<-time.After(3 * time.Second)
		},
	} {
		for mode, interest := range map[string]bool{"everything": false, "interest": true} {
			t.Run(name+"/"+mode, func(t *testing.T) {
				t.Parallel()
				server := redistest.Start(t)
				o := Options{
					URL: server.URL(), Interest: interest, Timeout: 500 * time.Millisecond,
					ProbeTimeout: 1500 * time.Millisecond, Lease: 2 * time.Second,
				}
				p := redistest.AttachPair(t, [2]belfry.Bus{open(t, o), open(t, o)})
				p.Under(t.Context(), func() { fault(t, p, linkOf(p.Links[1])) })
				p.MustBeComplete(t)
			})
		}
	}
}

// dropRooms takes the rooms from a subscription that otherwise stays as it is.
func (l *link) dropRooms(ctx context.Context) error {
	c, _ := l.subscription.current()
	return c.Do(ctx, c.B().Punsubscribe().Pattern(l.bus.names.roomPattern()).Build()).Error()
}

// drop takes a channel away.
func (l *link) drop(ctx context.Context, channel string) error {
	c, _ := l.subscription.current()
	return c.Do(ctx, l.bus.dialect.unsubscribe(c, l.bus.names.channel(channel))).Error()
}
