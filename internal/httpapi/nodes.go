package httpapi

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
)

// others are the operations about the cluster and about events of clients.
func (a *API) others() []operation {
	return []operation{
		{
			method: http.MethodGet, path: "/api/nodes", id: "listNodes", summary: "The nodes of the cluster", answer: "Nodes",
			codes: []Code{Unavailable, InDoubt},
			doc:   "Each is asked through the bus whether it is there. More is known of the node that answers; ask the others by their own addresses.",
			handle: func(c *call) ([]byte, error) {
				answer, err := c.api.nodes(c.r.Context())
				if err != nil {
					return nil, err
				}
				return marshal(answer)
			},
		},
		taking(operation{
			method: http.MethodPost, path: "/api/reply", id: "reply", summary: "Answer an event of a client", answer: "Done",
			codes: []Code{Answered, NotSupported, Unavailable, InDoubt},
			doc:   "The answer becomes the ack of the client, on whichever node it is by now. Nobody needs to wait for it.",
		}, replyObject(), reply),
	}
}

// node is one of the cluster. All but the first four are known of the node that
// answers alone.
type node struct {
	ID        belfry.NodeID `json:"id"`
	Self      bool          `json:"self"`
	Answers   bool          `json:"answers"`
	URL       string        `json:"url,omitempty"`
	Version   string        `json:"version,omitempty"`
	StartedAt *time.Time    `json:"startedAt,omitempty"`
	Uptime    *int64        `json:"uptimeSeconds,omitempty"`
	Sessions  *int          `json:"sessions,omitempty"`
	Ready     *bool         `json:"ready,omitempty"`
	Reasons   []string      `json:"reasons,omitempty"`
}

type nodesAnswer struct {
	Nodes  []node   `json:"nodes"`
	Failed []string `json:"failed,omitempty"`
}

// nodes asks all nodes for the members of a room that has none.
func (a *API) nodes(ctx context.Context) (*nodesAnswer, error) {
	ctx, cancel := a.bounded(ctx)
	defer cancel()
	urls := a.addresses(ctx)
	m := &belfry.Message{Kind: belfry.Fetch, Target: belfry.Target{Rooms: []belfry.Room{hub.UserRoom("")}}}
	replies, err := a.space("").Request(ctx, m, hub.All)
	part, err := without(err)
	if err != nil {
		return nil, err
	}
	answer := &nodesAnswer{Failed: part.Failed}
	add := func(id belfry.NodeID, answers bool) {
		n := node{ID: id, Answers: answers, URL: urls[id]}
		if id == a.hub.ID() {
			a.describe(&n)
		}
		answer.Nodes = append(answer.Nodes, n)
	}
	for _, r := range replies {
		add(r.From, true)
	}
	for _, id := range part.Missing {
		add(id, false)
	}
	slices.SortFunc(answer.Nodes, func(a, b node) int { return cmp.Compare(a.ID, b.ID) })
	return answer, nil
}

// addresses are those that the nodes have announced, without the secrets by which
// nodes know each other; none where the bus has no directory, or cannot tell now.
func (a *API) addresses(ctx context.Context) map[belfry.NodeID]string {
	d := a.hub.Directory()
	if d == nil {
		return nil
	}
	urls, err := d.Addresses(ctx)
	if err != nil {
		return nil
	}
	for id, url := range urls {
		urls[id], _, _ = strings.Cut(url, "#")
	}
	return urls
}

// describe adds what is known of this node.
func (a *API) describe(n *node) {
	sessions := 0
	for _, sp := range a.spaces {
		sessions += sp.Len()
	}
	health := a.o.Health
	if health == nil {
		health = a.hub.Health
	}
	ready, reasons := health()
	uptime := int64(time.Since(a.started) / time.Second)
	started := a.started.UTC()
	n.Self, n.Version, n.Sessions, n.Ready, n.Reasons = true, a.o.Version, &sessions, &ready, reasons
	n.StartedAt, n.Uptime = &started, &uptime
}
