package worker

import "fmt"

// Plan says which client is in which room and who sends. Clients, rooms and
// sources are numbered from 0 over all workers. Rooms are neighbours' rooms: the
// clients of one room follow one another, and the first of them are its
// sources. Neighbours are on different servers, so that the members of a room
// are spread over all of them.
type Plan struct {
	Clients int `json:"clients"`
	// Rooms is the number of rooms; each client is in exactly one.
	Rooms int `json:"rooms"`
	// Publishers is the number of clients of each room that send to it; 0 when
	// nobody sends.
	Publishers int `json:"publishers"`
	// Apart has the sources alone on the first server, and not in their rooms:
	// all that arrives has come from another server.
	Apart bool `json:"apart,omitempty"`
}

// Validate names the first rule that the plan breaks.
func (p Plan) Validate() error {
	switch {
	case p.Clients < 1:
		return fmt.Errorf("clients is %d: want at least 1", p.Clients)
	case p.Rooms < 1 || p.Rooms > p.Clients:
		return fmt.Errorf("rooms is %d: want 1 to %d, the number of clients", p.Rooms, p.Clients)
	case p.Publishers < 0 || p.Publishers > p.Clients/p.Rooms:
		return fmt.Errorf("publishers is %d: want 0 to %d, the clients in the smallest room", p.Publishers, p.Clients/p.Rooms)
	case p.Apart && p.Clients/p.Rooms <= p.Publishers:
		return fmt.Errorf("clients is %d: want at least %d, for somebody to listen in each of %d rooms", p.Clients, p.Rooms*(p.Publishers+1), p.Rooms)
	}
	return nil
}

// Bounds returns the first client of a room and the first after it.
func (p Plan) Bounds(room int) (first, end int) {
	return room * p.Clients / p.Rooms, (room + 1) * p.Clients / p.Rooms
}

// Room returns the room of a client.
func (p Plan) Room(client int) int {
	return ((client+1)*p.Rooms - 1) / p.Clients
}

// Sources returns how many senders there are.
func (p Plan) Sources() int { return p.Rooms * p.Publishers }

// Sender returns the client that is the source.
func (p Plan) Sender(source int) int {
	first, _ := p.Bounds(source / p.Publishers)
	return first + source%p.Publishers
}

// Listens reports whether a client is in its room.
func (p Plan) Listens(client int) bool { return !p.Apart || !p.sends(client) }

func (p Plan) sends(client int) bool {
	first, _ := p.Bounds(p.Room(client))
	return client-first < p.Publishers
}

// Target returns which of so many servers a client connects to.
func (p Plan) Target(client, servers int) int {
	switch {
	case !p.Apart:
		return client % servers
	case p.sends(client):
		return 0
	}
	return 1 + client%(servers-1)
}
