package httpapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
)

// session is a client in a namespace, as nodes describe it to each other and the API
// describes it to backends.
type session struct {
	ID          belfry.SocketID `json:"id"`
	User        string          `json:"user,omitempty"`
	Node        belfry.NodeID   `json:"node"`
	Front       string          `json:"front,omitempty"`
	Rooms       []belfry.Room   `json:"rooms"` // its own and Belfry's left out
	Address     string          `json:"address,omitempty"`
	ConnectedAt *time.Time      `json:"connectedAt,omitempty"`
	Data        json.RawMessage `json:"data,omitempty"`
}

// described is what hub.Member.Describe gives, as far as it is for others: headers
// may hold secrets.
type described struct {
	ID        belfry.SocketID `json:"id"`
	User      string          `json:"user"`
	Front     string          `json:"front"`
	Rooms     []belfry.Room   `json:"rooms"`
	Data      json.RawMessage `json:"data"`
	Handshake struct {
		Address string `json:"address"`
		Issued  int64  `json:"issued"` // ms since 1970
	} `json:"handshake"`
}

func (d *described) session(node belfry.NodeID) session {
	s := session{ID: d.ID, User: d.User, Node: node, Front: d.Front, Address: d.Handshake.Address, Rooms: []belfry.Room{}}
	for _, room := range d.Rooms {
		if room != belfry.Room(d.ID) && !hub.Reserved(room) {
			s.Rooms = append(s.Rooms, room)
		}
	}
	if at := d.Handshake.Issued; at > 0 {
		t := time.UnixMilli(at).UTC()
		s.ConnectedAt = &t
	}
	if text := string(d.Data); text != "{}" && text != "null" {
		s.Data = d.Data
	}
	return s
}

// partial says which nodes are missing in an answer.
type partial struct {
	Missing []belfry.NodeID `json:"missing,omitempty"`
	Failed  []string        `json:"failed,omitempty"`
}

// without takes an *hub.Incomplete for success.
func without(err error) (partial, error) {
	var e *hub.Incomplete
	if errors.As(err, &e) {
		return partial{e.Missing, e.Failed}, nil
	}
	return partial{}, err
}

// find returns the sessions that t selects on all nodes, by id.
func (a *API) find(ctx context.Context, sp *hub.Space, t belfry.Target) ([]session, partial, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	replies, err := sp.Request(ctx, &belfry.Message{Kind: belfry.Fetch, Target: t}, hub.All)
	part, err := without(err)
	if err != nil {
		return nil, part, err
	}
	all := []session{}
	for _, r := range replies {
		var some []described
		if err := json.Unmarshal(r.Body, &some); err != nil {
			return nil, part, fmt.Errorf("read the answer of node %s: %w", r.From, err)
		}
		for i := range some {
			all = append(all, some[i].session(r.From))
		}
	}
	slices.SortFunc(all, func(a, b session) int { return cmp.Compare(a.ID, b.ID) })
	return all, part, nil
}

// sessionsAnswer is a page of sessions.
type sessionsAnswer struct {
	Sessions []session `json:"sessions"`
	Next     string    `json:"next,omitempty"`
	partial
}

// list answers with a page of the sessions that t selects.
func (c *call) list(t belfry.Target) ([]byte, error) {
	sp, p := c.space(), c.page()
	if err := c.invalid(); err != nil {
		return nil, err
	}
	all, part, err := c.api.find(c.r.Context(), sp, t)
	if err != nil {
		return nil, err
	}
	some, next := paged(all, p, func(s session) string { return string(s.ID) })
	for i := range some {
		some[i].Data = nil
	}
	return marshal(sessionsAnswer{some, next, part})
}

const (
	standardPage = 100
	maxPage      = 1000
)

// page is what part of a list is wanted.
type page struct {
	limit int
	after string
}

func (c *call) page() page {
	p := page{standardPage, c.query.Get("after")}
	if text := c.query.Get("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			c.fault("limit", fmt.Sprintf("must be a number from 1 to %d", maxPage))
		}
		p.limit = n
	}
	return p
}

// paged returns the part of a sorted list, and where the next part begins.
func paged[T any](all []T, p page, key func(T) string) (some []T, next string) {
	from, found := slices.BinarySearchFunc(all, p.after, func(v T, after string) int { return cmp.Compare(key(v), after) })
	if found {
		from++
	}
	some = all[from:]
	if len(some) > p.limit {
		some = some[:p.limit]
		next = key(some[p.limit-1])
	}
	return some, next
}

func (a *API) sessions() []operation {
	sessionParams := []parameter{inPath("id", "of the session", maxRoom), a.namespaceParam()}
	return []operation{
		{
			method: http.MethodGet, path: "/api/sessions", id: "listSessions", summary: "Who is connected", answer: "Sessions", codes: []Code{Unavailable, InDoubt},
			doc:    `All nodes are asked for all they have: in a large cluster ask by room or by user. Needs the grant presence for "*".`,
			params: append(pageParams(), a.namespaceParam()),
			handle: func(c *call) ([]byte, error) {
				if err := c.needAll(auth.Presence); err != nil {
					return nil, err
				}
				return c.list(belfry.Target{})
			},
		},
		{
			method: http.MethodGet, path: "/api/sessions/{id}", id: "getSession", summary: "One session", answer: "Session", codes: []Code{NotFound, Unavailable, InDoubt, Incomplete},
			doc: `With its data. Needs the grant presence for "*".`, params: sessionParams, handle: getSession,
		},
		{
			method: http.MethodDelete, path: "/api/sessions/{id}", id: "disconnectSession", summary: "Disconnect a session", answer: "Disconnected",
			codes: []Code{NotFound, Unavailable, InDoubt, Incomplete},
			doc:   `Needs the grant join for "*".`, params: append(sessionParams, closeParam()), handle: disconnectSession,
		},
	}
}

func closeParam() parameter {
	return parameter{"closeTransport", "query", "true ends the whole connection, false only its part in the namespace; default false", schema{"type": "boolean"}}
}

// one finds the session of the path.
func (c *call) one() (*hub.Space, session, error) {
	sp, id := c.space(), c.path("id", maxRoom, roomRule)
	if err := c.invalid(); err != nil {
		return nil, session{}, err
	}
	all, part, err := c.api.find(c.r.Context(), sp, belfry.Target{Rooms: []belfry.Room{belfry.Room(id)}})
	if err != nil {
		return nil, session{}, err
	}
	for _, s := range all { // others may be in its room
		if string(s.ID) == id {
			return sp, s, nil
		}
	}
	if len(part.Missing)+len(part.Failed) > 0 {
		p := newProblem(Incomplete, "no session %q on the nodes that answered: it may be on one of the others", id)
		p.Missing, p.Failed = part.Missing, part.Failed
		return nil, session{}, p
	}
	return nil, session{}, newProblem(NotFound, "there is no session %q", id)
}

func getSession(c *call) ([]byte, error) {
	if err := c.needAll(auth.Presence); err != nil {
		return nil, err
	}
	_, s, err := c.one()
	if err != nil {
		return nil, err
	}
	return marshal(s)
}

func disconnectSession(c *call) ([]byte, error) {
	if err := c.needAll(auth.Join); err != nil {
		return nil, err
	}
	whole := c.flag("closeTransport", false)
	sp, s, err := c.one()
	if err != nil {
		return nil, err
	}
	return c.disconnect(sp, belfry.Room(s.ID), whole, []session{s}, partial{})
}

// disconnectedAnswer says who was told to go.
type disconnectedAnswer struct {
	Sessions []belfry.SocketID `json:"sessions"`
	partial
}

// disconnect ends the members of a room, of which those that are known are found.
func (c *call) disconnect(sp *hub.Space, room belfry.Room, whole bool, found []session, part partial) ([]byte, error) {
	m := &belfry.Message{Kind: belfry.Disconnect, Target: belfry.Target{Rooms: []belfry.Room{room}}, CloseTransport: whole}
	if err := sp.Publish(c.r.Context(), m); err != nil {
		return nil, err
	}
	ids := make([]belfry.SocketID, len(found))
	for i, s := range found {
		ids[i] = s.ID
	}
	return marshal(disconnectedAnswer{ids, part})
}
