// Package account settles what became of every message at every client: lost,
// duplicated, out of order, or missed by a client that was told so.
//
//	Plan       who is in which room, which stream goes to which room
//	Sent       what the publisher knows: accepted, refused, or nobody knows
//	Read       what the clients wrote down, a line for each thing that happened
//	Settle     Report
//
// A stream is what one publisher sends to one room, numbered from 0. Several
// streams go to one room, so that the order between publishers is checked too.
package account

// Plan says who is to get what. Clients, rooms and streams are numbers from 0.
type Plan struct {
	// Members are the rooms of each client.
	Members [][]int
	// Streams are the rooms that the streams go to.
	Streams []int
}

func (p Plan) isMember(client, room int) bool {
	for _, r := range p.Members[client] {
		if r == room {
			return true
		}
	}
	return false
}

// Outcome is what a publisher knows of a message in the end.
type Outcome uint8

const (
	Accepted Outcome = iota // every member is to get it once
	Maybe                   // its connection broke: it may arrive, but not twice
	Refused                 // nobody may get it
)

// Message is one message of a stream; its number is its place in the stream.
type Message struct {
	Outcome Outcome
	// Begun is when it was offered for the first time, in Unix milliseconds.
	Begun int64
}

// Sent has the messages of each stream.
type Sent [][]Message

// Count returns how many messages had the outcome.
func (s Sent) Count(o Outcome) (n int) {
	for _, stream := range s {
		for _, m := range stream {
			if m.Outcome == o {
				n++
			}
		}
	}
	return n
}
