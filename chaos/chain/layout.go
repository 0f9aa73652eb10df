package chain

import (
	"fmt"
	"math/rand/v2"

	"github.com/seed-09a96375/belfry/chaos/account"
)

const (
	rooms = 10
	// feeds are the keys of the producer, several for each room.
	feeds = 3 * rooms
	// One client of so many is in two rooms; uses polling alone; begins with polling.
	twoRoomShare = 4
	pollingShare = 10
)

// layout is who is where. The first streams are those of the clients, by number; then
// come those of the producer.
type layout struct {
	account.Plan
	feed []int // streams of the producer
}

// lay places clients in rooms. A client sends to its first.
func lay(clients int, seed uint64) (l layout) {
	rng := rand.New(rand.NewPCG(seed, 0))
	for i := range clients {
		in := []int{i % rooms}
		if i/rooms%twoRoomShare == 0 {
			in = append(in, (in[0]+1+rng.IntN(rooms-1))%rooms)
		}
		l.Members = append(l.Members, in)
		l.Streams = append(l.Streams, in[0])
	}
	for i := range feeds {
		l.feed = append(l.feed, len(l.Streams))
		l.Streams = append(l.Streams, i%rooms)
	}
	return l
}

// client is one of the clients as the script wants it.
type client struct {
	Rooms      []string          `json:"rooms"`
	Transports []string          `json:"transports"`
	Auth       map[string]string `json:"auth"`
	Sends      string            `json:"sends"` // room
}

// roomName is that of a room as Belfry knows it.
func roomName(room int) string { return fmt.Sprint("chat:", room) }

func (l *layout) clients(token string) (all []client) {
	for i, in := range l.Members {
		c := client{Auth: map[string]string{"token": token}, Sends: fmt.Sprint(in[0]), Transports: transports(i)}
		for _, room := range in {
			c.Rooms = append(c.Rooms, roomName(room))
		}
		all = append(all, c)
	}
	return all
}

func transports(client int) []string {
	switch client % pollingShare {
	case 3:
		return []string{"polling"}
	case 7:
		return []string{"polling", "websocket"}
	default:
		return []string{"websocket"}
	}
}

// each is how many events each client sends, at least.
func (o Options) each() int { return (o.Messages/2 + o.Clients - 1) / o.Clients }

// eachFeed is how many messages each key of the producer has, at least.
func (o Options) eachFeed() int { return (o.Messages/2 + feeds - 1) / feeds }

// Wanted is how many messages are sent, at least: not fewer than Messages.
func (o Options) Wanted() int { return o.Clients*o.each() + feeds*o.eachFeed() }
