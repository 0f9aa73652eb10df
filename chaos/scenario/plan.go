package scenario

import (
	"math/rand/v2"
	"strconv"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/chaos/lab"
)

const (
	// busyRooms get messages all the time. The room after them is quiet: it gets
	// the first when the fault happens.
	busyRooms = 10
	quietRoom = busyRooms
	// publishers send to each room, each by another node.
	publishers = lab.Nodes
	// quietShare, pollingShare and upgradeShare: one client of so many hears
	// nothing before the fault; uses polling alone; begins with polling.
	quietShare   = 20
	pollingShare = 10
	upgradeShare = 10
)

// layout is who is where.
type layout struct {
	account.Plan
	clients []lab.Client
	busy    []int // streams
	quiet   []int
}

// lay places the clients in two or three rooms each.
func lay(clients int, rng *rand.Rand) (l layout) {
	for room := range busyRooms + 1 {
		for range publishers {
			if room == quietRoom {
				l.quiet = append(l.quiet, len(l.Streams))
			} else {
				l.busy = append(l.busy, len(l.Streams))
			}
			l.Streams = append(l.Streams, room)
		}
	}
	for i := range clients {
		rooms := []int{quietRoom}
		if i%quietShare != quietShare-1 {
			rooms = rng.Perm(busyRooms)[:2+rng.IntN(2)]
		}
		l.Members = append(l.Members, rooms)
		l.clients = append(l.clients, lab.Client{Rooms: names(rooms), Transports: transports(i)})
	}
	return l
}

func names(rooms []int) (all []string) {
	for _, r := range rooms {
		all = append(all, strconv.Itoa(r))
	}
	return all
}

func transports(client int) []string {
	switch {
	case client%pollingShare == 3:
		return []string{"polling"}
	case client%upgradeShare == 7:
		return []string{"polling", "websocket"}
	default:
		return []string{"websocket"}
	}
}
