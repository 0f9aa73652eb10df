package httpapi

import (
	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// publication is a message as backends write it.
type publication struct {
	namespace     string
	rooms, except []belfry.Room
	user          string
	event         string
	args          []byte // an array; nil: none
	id            string
	ephemeral     bool

	data        []byte // event and args as the bus wants them
	attachments [][]byte
}

// publicationObject is what POST /api/publish takes.
func (a *API) publicationObject() *object[publication] {
	o := &object[publication]{
		name: "Publication", doc: "An event for the members of rooms, or for all if no room and no user is named",
		fields: append([]field[publication]{
			texts("rooms", "whose members get it, each once; the id of a session is a room, too", maxRoom, maxRooms,
				func(p *publication, s string) { p.rooms = append(p.rooms, belfry.Room(s)) }, roomRule),
			text("user", "whose sessions get it as well", hub.MaxUser, func(p *publication) *string { return &p.user }, nil),
		}, a.eventFields()...),
	}
	o.check = prepare
	return o
}

// userPublicationObject is what POST /api/users/{user}/publish takes.
func (a *API) userPublicationObject() *object[publication] {
	return &object[publication]{name: "UserPublication", doc: "An event for the sessions of a user", fields: a.eventFields(), check: prepare}
}

func (a *API) eventFields() []field[publication] {
	return []field[publication]{
		must(text("event", "name of the event", maxEvent, func(p *publication) *string { return &p.event }, eventRule)),
		values("args", `what the event carries; {"$binary":"BASE64"} anywhere in it is bytes`, func(p *publication) *[]byte { return &p.args }),
		text("id", "of several messages of a namespace with one id, within minutes, only the first is published: repeat what is in doubt with it",
			belfry.MaxID, func(p *publication) *string { return &p.id }, nil),
		texts("except", "rooms whose members do not get it", maxRoom, maxRooms,
			func(p *publication, s string) { p.except = append(p.except, belfry.Room(s)) }, roomRule),
		yes("ephemeral", "it may be dropped for clients that cannot take it at once, and is not kept for those that are away",
			func(p *publication) *bool { return &p.ephemeral }),
		a.namespaceField(),
	}
}

func (a *API) namespaceField() field[publication] {
	return text("namespace", "default "+a.o.Namespaces[0], maxNamespace, func(p *publication) *string { return &p.namespace }, namespaceRule(a.o.Namespaces))
}

// prepare makes the data of the message.
func prepare(r *reader, p *publication) {
	data := make([]byte, 0, len(p.event)+len(p.args)+8)
	data = packet.AppendString(append(data, '['), p.event)
	if p.args != nil {
		var err error
		if data, p.attachments, err = appendArgs(data, p.args); err != nil {
			r.enter("args")
			r.fault("%v", err)
			r.leave()
		}
	}
	p.data = append(data, ']')
}

// message is what goes to the bus.
func (p *publication) message() *belfry.Message {
	m := &belfry.Message{
		Kind: belfry.Emit, Data: p.data, Attachments: p.attachments, ID: p.id, Volatile: p.ephemeral,
		Target: belfry.Target{Rooms: p.rooms, Except: p.except},
	}
	if p.user != "" {
		m.Target.Rooms = append(m.Target.Rooms, hub.UserRoom(p.user))
	}
	return m
}
