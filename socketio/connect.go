package socketio

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"runtime/debug"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// connect answers a CONNECT.
func (c *client) connect(p *packet.Packet) {
	if s := c.find(p.Namespace); s != nil {
		if s.Connected() {
			c.fail(fmt.Errorf("second CONNECT to namespace %q", p.Namespace))
			return
		}
		c.finish(s)
	}
	name, auth := c.wants(p)
	n := c.server.find(name, auth)
	if n == nil {
		c.refuseConnect(name, &ConnectError{Message: "Invalid namespace"})
		return
	}
	err := c.enter(n, auth)
	n.joining.Add(-1)
	switch {
	case away(err):
		// Clients do not try again after a refusal, but after a broken connection.
		c.server.opts.Logger.Warn("client turned away: it comes back", "err", err)
		c.server.counters.refused.Add(1)
		c.drop()
	case err != nil:
		c.refuseConnect(name, err)
	}
	if err != nil {
		c.server.vacate(n)
	}
}

// wants returns the namespace and the auth of a CONNECT. Protocol 3 has the auth
// in a query string behind the name.
func (c *client) wants(p *packet.Packet) (name string, auth Auth) {
	if c.session.Protocol() != 3 {
		return p.Namespace, Auth(p.Data)
	}
	name, query, found := strings.Cut(p.Namespace, "?")
	if !found {
		return name, nil
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return name, nil
	}
	auth, err = json.Marshal(lastValues(values))
	if err != nil {
		return name, nil
	}
	return name, auth
}

// lastValues is what JavaScript makes of a query: the last value of each name.
func lastValues(q url.Values) map[string]string {
	m := make(map[string]string, len(q))
	for k, v := range q {
		if len(v) > 0 {
			m[k] = v[len(v)-1]
		}
	}
	return m
}

// enter connects the client to n: a recovered socket, or a new one. errGone says
// that the client has gone away meanwhile.
func (c *client) enter(n *Namespace, auth Auth) error {
	if c.count() >= c.server.opts.MaxNamespaces {
		return &ConnectError{Message: fmt.Sprintf("too many namespaces: %d at most", c.server.opts.MaxNamespaces)}
	}
	cl := c.claims(auth)
	if cl != nil {
		if done, err := c.reenter(n, cl, auth); done || err != nil {
			return err
		}
	}
	id, err := c.socketID(n)
	if err != nil {
		return err
	}
	s := newSocket(c, n, id, auth)
	if err := s.pass(n.handlers.load().middlewares); err != nil {
		return err
	}
	if err := s.enter(); err != nil {
		return err
	}
	return c.admit(s, cl != nil)
}

// reenter resumes a session. It reports false if there is none.
func (c *client) reenter(n *Namespace, cl *claim, auth Auth) (done bool, _ error) {
	waiting, cancel := c.server.busContext()
	defer cancel()
	end, err := n.live.claim(waiting, *cl.Session)
	if err != nil {
		return false, err // the client tries again
	}
	defer end()
	if c.isGone() {
		return false, errGone // it may be back already
	}
	ctx, cancel := c.server.busContext()
	defer cancel()
	s, err := c.recover(ctx, n, cl, auth)
	if s == nil {
		return false, err
	}
	return true, c.admit(s, true)
}

var errGone = errors.New("the client has gone")

// admit makes a socket that is in its rooms a connected one. claimed says that its client
// wanted to go on with a session.
func (c *client) admit(s *Socket, claimed bool) error {
	if !c.add(s) {
		s.end(engineio.ReasonTransportClose)
		if s.Recovered() && s.resumable(engineio.ReasonTransportClose) {
			// It may come back once more.
			c.server.keeping.Go(func() { c.server.keepSessions([]*Socket{s}) })
		} else {
			s.abandon() // its client never knew of it
		}
		return errGone
	}
	c.server.counters.entered(s.Recovered(), claimed)
	if !s.open() {
		return nil
	}
	for _, f := range s.nsp.handlers.load().connect {
		_ = s.guard("connect handler", func() error {
			f(s.Context(), s)
			return nil
		})
	}
	return nil
}

// pass runs middlewares until one refuses.
func (s *Socket) pass(middlewares []Middleware) error {
	for _, m := range middlewares {
		if err := s.guard("middleware", func() error { return m(s.Context(), s) }); err != nil {
			return err
		}
	}
	return nil
}

var errPanic = errors.New("internal error")

// guard runs code of the application: a panic ends there, with its stack in the
// log, and comes back as errPanic.
func (s *Socket) guard(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.nsp.server.opts.Logger.Error("panic in "+what, "namespace", s.nsp.name, "socket", s.id,
				"value", r, "stack", string(debug.Stack()))
			err = errPanic
		}
	}()
	return f()
}

func (c *client) refuseConnect(namespace string, err error) {
	if errors.Is(err, errGone) {
		return
	}
	c.server.counters.refused.Add(1)
	message, data := refusal(err)
	p := packet.Packet{Type: packet.ConnectError, Namespace: namespace}
	if c.session.Protocol() == 3 {
		p.Data = refusalV3(err, message, data)
	} else {
		p.Data = refusalPayload(message, data)
	}
	_ = c.send(p, engineio.SendOptions{}) // the client is told, or it has gone
}

func refusalPayload(message string, data []byte) []byte {
	b := packet.AppendString([]byte(`{"message":`), message)
	if len(data) > 0 {
		b = append(append(b, `,"data":`...), data...)
	}
	return append(b, '}')
}

// refusalV3 is the payload in protocol 3: the data if there are any, else the
// message alone; only the unknown namespace has an object.
func refusalV3(err error, message string, data []byte) []byte {
	if len(data) > 0 {
		return data
	}
	if message == "Invalid namespace" {
		return refusalPayload(message, nil)
	}
	return packet.AppendString(nil, err.Error())
}

// count is the number of namespaces the client is in.
func (c *client) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.more)
	if c.first != nil {
		n++
	}
	return n
}

// socketID makes the public id of a new socket: random, or as protocol 3 derives
// it from the session's.
func (c *client) socketID(n *Namespace) (belfry.SocketID, error) {
	if c.session.Protocol() == 3 {
		if n.name == "/" {
			return belfry.SocketID(c.session.ID()), nil
		}
		return belfry.SocketID(n.name + "#" + c.session.ID()), nil
	}
	return belfry.SocketID(randomID()), nil
}
