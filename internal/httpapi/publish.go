package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

func (a *API) publishing() []operation {
	codes := []Code{Unavailable, InDoubt}
	return []operation{
		taking(operation{
			method: http.MethodPost, path: "/api/publish", id: "publish", summary: "Publish an event", answer: "Published", codes: codes,
			doc: "It is answered once the cluster has accepted the message.",
		}, a.publicationObject(), publish),
		taking(operation{
			method: http.MethodPost, path: "/api/batch", id: "publishBatch", summary: "Publish several events", answer: "PublishedBatch", codes: codes,
			doc: "They are published in their order, one after the other. All are looked at first: if one is wrong none is published. " +
				"When one cannot be published those after it are not tried, and the problem has the results of those before. Repeat the batch as it was, with ids.",
		}, a.batchObject(), publishBatch),
		taking(operation{
			method: http.MethodPost, path: "/api/users/{user}/publish", id: "publishToUser", summary: "Publish an event to a user", answer: "Published", codes: codes,
			doc: `It goes to all sessions of the user, on all nodes, whatever front they came by. Needs the grant publish for "*".`, params: userParams(),
		}, a.userPublicationObject(), publishToUser),
	}
}

func publish(c *call, p *publication) ([]byte, error) {
	if faults := c.forbidden(nil, p, ""); len(faults) > 0 {
		return nil, faulty(Code(auth.Forbidden), faults, 0)
	}
	return c.publish(p, p.message())
}

func publishToUser(c *call, p *publication) ([]byte, error) {
	room := c.user()
	if err := c.invalid(); err != nil {
		return nil, err
	}
	if err := c.needAll(auth.Publish); err != nil {
		return nil, err
	}
	m := p.message()
	m.Target.Rooms = []belfry.Room{room}
	return c.publish(p, m)
}

// forbidden adds what the backend may not publish to; at leads to p in the body.
func (c *call) forbidden(faults []Fault, p *publication, at string) []Fault {
	for i, room := range p.rooms {
		if !c.may(auth.Publish, room) {
			faults = append(faults, Fault{Field: at + "/rooms/" + strconv.Itoa(i), Detail: "is not allowed: the grants of this key lack publish for that room"})
		}
	}
	if p.user != "" && !c.everywhere(auth.Publish) {
		faults = append(faults, Fault{Field: at + "/user", Detail: `is not allowed: users need the grant publish for "*"`})
	}
	if len(p.rooms) == 0 && p.user == "" && !c.everywhere(auth.Publish) {
		faults = append(faults, Fault{Field: at + "/rooms", Detail: `is empty: to publish to everybody needs the grant publish for "*"`})
	}
	return faults
}

func (c *call) publish(p *publication, m *belfry.Message) ([]byte, error) {
	return c.api.publish(c.r.Context(), p.namespace, m)
}

// publish returns what is answered if the cluster has accepted m. A client that goes
// away meanwhile changes nothing: half a batch, or a message in doubt, would help
// nobody.
func (a *API) publish(ctx context.Context, namespace string, m *belfry.Message) ([]byte, error) {
	err := a.space(namespace).Publish(context.WithoutCancel(ctx), m)
	if err != nil && !errors.Is(err, belfry.ErrDuplicate) {
		return nil, err
	}
	b := make([]byte, 0, 64)
	if err != nil {
		b = append(b, `{"duplicate":true`...)
	}
	if m.Offset != "" {
		if len(b) == 0 {
			b = append(b, `{"offset":`...)
		} else {
			b = append(b, `,"offset":`...)
		}
		b = packet.AppendString(b, string(m.Offset))
	}
	if len(b) == 0 {
		b = append(b, '{')
	}
	return append(b, "}\n"...), nil
}

// batch is several messages.
type batch struct{ messages []publication }

func (a *API) batchObject() *object[batch] {
	one := a.publicationObject()
	return &object[batch]{
		name: "Batch", doc: "Events in their order",
		fields: []field[batch]{must(field[batch]{
			name: "messages", doc: "in their order",
			schema: list(ref(one.name)).with("minItems", 1).with("maxItems", a.o.MaxBatch),
			read: func(r *reader, raw []byte, into *batch) {
				n := readElements(r, raw, func(raw []byte) {
					if len(into.messages) >= a.o.MaxBatch {
						return
					}
					into.messages = append(into.messages, publication{})
					one.read(r, raw, &into.messages[len(into.messages)-1])
				})
				switch {
				case raw[0] == '[' && n == 0:
					r.fault("is empty")
				case n > a.o.MaxBatch:
					r.fault("has %d elements: at most %d are allowed", n, a.o.MaxBatch)
				}
			},
		})},
	}
}

func publishBatch(c *call, in *batch) ([]byte, error) {
	var faults []Fault
	for i := range in.messages {
		faults = c.forbidden(faults, &in.messages[i], "/messages/"+strconv.Itoa(i))
	}
	if n := len(faults); n > 0 {
		return nil, faulty(Code(auth.Forbidden), faults[:min(n, maxFaults)], max(n-maxFaults, 0))
	}
	results := make([]json.RawMessage, 0, len(in.messages))
	for i := range in.messages {
		p := &in.messages[i]
		one, err := c.publish(p, p.message())
		if err != nil {
			return nil, stopped(err, i, len(in.messages), results)
		}
		results = append(results, bytes.TrimSpace(one))
	}
	return marshal(struct {
		Results []json.RawMessage `json:"results"`
	}{results})
}

// stopped is the problem of a batch of which a message could not be published.
func stopped(err error, i, of int, results []json.RawMessage) error {
	p := *explain(err)
	p.Detail = "message " + strconv.Itoa(i) + " of " + strconv.Itoa(of) + " was not published, nor were those after it: " + p.Detail
	p.Errors = []Fault{{Field: "/messages/" + strconv.Itoa(i), Detail: "could not be published"}}
	p.Results = results
	return &p
}

func userParams() []parameter {
	return []parameter{inPath("user", "name", hub.MaxUser)}
}
