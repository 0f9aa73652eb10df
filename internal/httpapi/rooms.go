package httpapi

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
)

func (a *API) rooms() []operation {
	room := inPath("room", "name, percent-encoded: %2F for a slash", maxRoom)
	params := []parameter{room, a.namespaceParam()}
	asking := []Code{Unavailable, InDoubt}
	return []operation{
		{
			method: http.MethodGet, path: "/api/rooms", id: "listRooms", summary: "Rooms that have members", answer: "Rooms", codes: asking,
			doc:    "Those that the key has the grant presence for, by name. The rooms that sessions are by their ids are left out.",
			params: append(pageParams(), a.namespaceParam(), parameter{"prefix", "query", "what the names begin with", schema{"type": "string"}}),
			handle: listRooms,
		},
		{
			method: http.MethodGet, path: "/api/rooms/{room}", id: "getRoom", summary: "The sessions in a room", answer: "Sessions", codes: asking,
			doc: "Needs the grant presence for the room.", params: slices.Concat(params, pageParams()), handle: getRoom,
		},
		{
			method: http.MethodGet, path: "/api/rooms/{room}/presence", id: "getPresence", summary: "Who is present in a room, and its state", answer: "Presence",
			codes: append([]Code{NotSupported}, asking...),
			doc:   "What clients see, where presence is on. Needs the grant presence for the room.",
			params: slices.Concat(params, []parameter{
				{"members", "query", "false gives only the count; default true", schema{"type": "boolean"}},
			}),
			handle: getPresence,
		},
		a.history(),
		taking(operation{
			method: http.MethodPost, path: "/api/rooms/{room}/join", id: "joinRoom", summary: "Put sessions into a room", answer: "Joined",
			codes: append([]Code{Incomplete}, asking...), params: []parameter{room},
			doc: "It is answered when all nodes have done it. Needs the grant join for the room.",
		}, a.changeObject(), joinRoom),
		taking(operation{
			method: http.MethodPost, path: "/api/rooms/{room}/leave", id: "leaveRoom", summary: "Take sessions out of a room", answer: "Done",
			codes: asking, params: []parameter{room},
			doc: "It is answered once the cluster has accepted it. Needs the grant join for the room.",
		}, a.changeObject(), leaveRoom),
	}
}

// roomsAnswer is a page of rooms.
type roomsAnswer struct {
	Rooms []belfry.Room `json:"rooms"`
	Next  string        `json:"next,omitempty"`
	partial
}

func listRooms(c *call) ([]byte, error) {
	sp, p, prefix := c.space(), c.page(), c.query.Get("prefix")
	if err := c.invalid(); err != nil {
		return nil, err
	}
	ctx, cancel := c.api.bounded(c.r.Context())
	defer cancel()
	replies, err := sp.Request(ctx, &belfry.Message{Kind: belfry.AllRooms}, hub.All)
	part, err := without(err)
	if err != nil {
		return nil, err
	}
	all := []belfry.Room{}
	for _, r := range replies {
		var some []belfry.Room
		if err := json.Unmarshal(r.Body, &some); err != nil {
			return nil, fmt.Errorf("read the answer of node %s: %w", r.From, err)
		}
		for _, room := range some {
			if strings.HasPrefix(string(room), prefix) && !hub.Reserved(room) && c.may(auth.Presence, room) {
				all = append(all, room)
			}
		}
	}
	slices.SortFunc(all, cmp.Compare[belfry.Room])
	some, next := paged(slices.Compact(all), p, func(r belfry.Room) string { return string(r) })
	return marshal(roomsAnswer{some, next, part})
}

func getRoom(c *call) ([]byte, error) {
	room := c.room()
	if err := errors.Join(c.invalid(), c.need(auth.Presence, room)); err != nil {
		return nil, err
	}
	return c.list(belfry.Target{Rooms: []belfry.Room{room}})
}

// presenceAnswer is what is known of a room.
type presenceAnswer struct {
	Count   int              `json:"count"`
	Members []belfry.Present `json:"members,omitempty"`
	State   []belfry.Entry   `json:"state,omitempty"`
}

func getPresence(c *call) ([]byte, error) {
	room, sp, listed := c.room(), c.space(), c.flag("members", true)
	if err := errors.Join(c.invalid(), c.need(auth.Presence, room)); err != nil {
		return nil, err
	}
	ctx, cancel := c.api.bounded(c.r.Context())
	defer cancel()
	var answer presenceAnswer
	var err error
	if !listed {
		if answer.Count, err = sp.CountPresent(ctx, room); err != nil {
			return nil, err
		}
		return marshal(answer)
	}
	if answer.Members, err = sp.Present(ctx, room); err != nil {
		return nil, err
	}
	if answer.State, err = sp.Entries(ctx, room); err != nil {
		return nil, err
	}
	answer.Count = len(answer.Members)
	slices.SortFunc(answer.Members, func(a, b belfry.Present) int { return cmp.Compare(a.ID, b.ID) })
	slices.SortFunc(answer.State, func(a, b belfry.Entry) int { return cmp.Compare(a.Key, b.Key) })
	return marshal(answer)
}

// change says who is to join or leave a room.
type change struct {
	namespace string
	targets   []belfry.Room
}

func (a *API) changeObject() *object[change] {
	return &object[change]{
		name: "Change", doc: "Sessions and users, at least one",
		fields: []field[change]{
			texts("sessions", "ids", maxRoom, maxTargets, func(c *change, s string) { c.targets = append(c.targets, belfry.Room(s)) }, roomRule),
			texts("users", "all their sessions", hub.MaxUser, maxTargets, func(c *change, s string) { c.targets = append(c.targets, hub.UserRoom(s)) }, nil),
			text("namespace", "default "+a.o.Namespaces[0], maxNamespace, func(c *change) *string { return &c.namespace }, namespaceRule(a.o.Namespaces)),
		},
		check: func(r *reader, c *change) {
			if len(c.targets) == 0 { // would be everybody
				r.fault("must name sessions or users, at least one")
			}
		},
	}
}

func (c *call) changing(in *change, kind belfry.Kind) (*hub.Space, *belfry.Message, error) {
	room := c.room()
	if err := errors.Join(c.invalid(), c.need(auth.Join, room)); err != nil {
		return nil, nil, err
	}
	return c.api.space(in.namespace), &belfry.Message{Kind: kind, Rooms: []belfry.Room{room}, Target: belfry.Target{Rooms: in.targets}}, nil
}

func joinRoom(c *call, in *change) ([]byte, error) {
	sp, m, err := c.changing(in, belfry.Join)
	if err != nil {
		return nil, err
	}
	ctx, cancel := c.api.bounded(c.r.Context())
	defer cancel()
	replies, err := sp.Request(ctx, m, hub.All)
	if err != nil {
		return nil, err
	}
	sum := 0
	for _, r := range replies {
		n := 0
		if err := json.Unmarshal(r.Body, &n); err != nil {
			return nil, fmt.Errorf("read the answer of node %s: %w", r.From, err)
		}
		sum += n
	}
	return marshal(struct {
		Sessions int `json:"sessions"`
	}{sum})
}

func leaveRoom(c *call, in *change) ([]byte, error) {
	sp, m, err := c.changing(in, belfry.Leave)
	if err != nil {
		return nil, err
	}
	return []byte("{}\n"), sp.Publish(c.r.Context(), m)
}
