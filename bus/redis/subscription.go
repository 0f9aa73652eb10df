package redis

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// subscription keeps one connection on which everything comes that this node
// gets. When it breaks, or brings no probes, it is made anew.
type subscription struct {
	link    *link
	give    chan string // a reason to give the connection up
	refused chan error  // why Redis does not let this node subscribe; see link.start

	mu       sync.Mutex
	conn     rueidis.DedicatedClient // nil while there is none
	followed map[string]bool         // channels of rooms; true once Follow has returned
	changed  chan struct{}           // closed when conn changes
}

func (s *subscription) init(l *link) {
	s.link = l
	s.give = make(chan string, 1)
	s.refused = make(chan error, 1)
	s.followed = make(map[string]bool)
	s.changed = make(chan struct{})
}

// giveUp makes the connection anew.
func (s *subscription) giveUp(why string) {
	select {
	case s.give <- why:
	default: // that is on its way
	}
}

// run ends when the link is closed.
func (s *subscription) run() {
	log := s.link.bus.opts.Logger
	pause := firstPause
	for number := uint64(1); ; number++ {
		begun := time.Now()
		err := s.once(number)
		if s.link.ctx.Err() != nil {
			return
		}
		if verdictOf(err) == fatal {
			select {
			case s.refused <- err:
			default: // nobody waits any more
			}
		}
		if time.Since(begun) > 10*time.Second {
			pause = firstPause
		}
		if s.link.health.subscriptionDown(err) {
			log.Warn("redis: subscription lost", "node", s.link.id, "err", err)
		}
		select {
		case <-time.After(jitter(pause)):
		case <-s.link.ctx.Done():
			return
		}
		pause = min(2*pause, time.Second)
	}
}

const firstPause = 20 * time.Millisecond

// once makes a connection and returns the reason why it is not good any more.
func (s *subscription) once(number uint64) error {
	ctx, cancel := context.WithCancel(s.link.ctx)
	conn, release := s.link.bus.client.Dedicate()
	defer release()
	defer conn.Close()
	defer cancel() // before Close: the hook must not wait for the feed
	for len(s.give) > 0 {
		<-s.give // meant for an earlier connection
	}
	lost := conn.SetPubSubHooks(rueidis.PubSubHooks{
		OnMessage: func(m rueidis.PubSubMessage) { s.link.feed.take(ctx, number, m) },
		OnSubscription: func(m rueidis.PubSubSubscription) {
			if m.Kind == "sunsubscribe" && m.Channel == s.link.bus.names.channel(nodeChannel(s.link.id)) {
				s.giveUp("the slot has moved")
			}
		},
	})
	defer s.set(nil)
	if err := s.subscribe(ctx, conn); err != nil {
		return err
	}
	if _, err := s.enter(ctx); err != nil {
		return fmt.Errorf("enter: %w", err)
	}
	select {
	case err := <-lost:
		return errors.Join(errors.New("connection lost"), err)
	case why := <-s.give:
		return errors.New(why)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// enter asks for the mark that puts the feed in step with this connection.
func (s *subscription) enter(ctx context.Context) (place, error) {
	ctx, cancel := context.WithTimeout(ctx, s.link.bus.opts.Timeout)
	defer cancel()
	return s.link.enter(ctx, s.link.token())
}

// maxChannels is how many channels one command names.
const maxChannels = 1000

// subscribe subscribes to everything; the node's own channel comes last, so that
// whatever comes there comes after all else is subscribed.
func (s *subscription) subscribe(ctx context.Context, conn rueidis.DedicatedClient) error {
	ctx, cancel := context.WithTimeout(ctx, 5*s.link.bus.opts.Timeout)
	defer cancel()
	n, d := s.link.bus.names, s.link.bus.dialect
	rooms := s.set(conn) // from here on, Follow subscribes by itself
	if s.link.bus.opts.Interest {
		for part := range slices.Chunk(rooms, maxChannels) {
			if err := conn.Do(ctx, d.subscribe(conn, part...)).Error(); err != nil {
				return fmt.Errorf("subscribe to rooms: %w", err)
			}
		}
	} else if err := conn.Do(ctx, d.subscribeRooms(conn, n)).Error(); err != nil {
		return fmt.Errorf("subscribe to the rooms: %w", err)
	}
	own := []string{n.channel(everyone), n.channel(nodeChannel(s.link.id))}
	if err := conn.Do(ctx, d.subscribe(conn, own...)).Error(); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	return nil
}

// set makes conn the one to subscribe on, and returns what is followed.
func (s *subscription) set(conn rueidis.DedicatedClient) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
	close(s.changed)
	s.changed = make(chan struct{})
	all := make([]string, 0, len(s.followed))
	for channel := range s.followed {
		all = append(all, s.link.bus.names.channel(channel))
	}
	return all
}

// current returns the connection, nil if there is none, and what tells of the
// next.
func (s *subscription) current() (rueidis.DedicatedClient, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn, s.changed
}

func (s *subscription) follows(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.followed[channel]
	return ok
}

// settled reports whether Follow of the channel has returned.
func (s *subscription) settled(channel string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.followed[channel]
}

// add makes channel one of those to subscribe to.
func (s *subscription) add(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.followed[channel] {
		s.followed[channel] = false // not settled yet
	}
}

func (s *subscription) settle(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.followed[channel] = true
}

func (s *subscription) remove(channel string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.followed, channel)
}

// some returns at most n of the followed channels, any.
func (s *subscription) some(n int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	channels := make([]string, 0, min(n, len(s.followed))+2)
	for channel := range s.followed {
		if len(channels) == n {
			break
		}
		channels = append(channels, channel)
	}
	return channels
}
