package benchtest

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// session is what a client comes back to. It is guarded by the cluster's lock.
type session struct {
	secret string
	conn   *conn
	log    []string // all payloads for the client; an offset is an index of it
}

// hello welcomes a client; claim is what it shows to get its session back, empty
// if it wants a new one.
func (c *conn) hello(claim string) {
	if !c.server.opts.Recovery {
		c.send(or(c.server.opts.Welcome, `40{"sid":"x"}`))
		return
	}
	var known struct{ Pid, Offset string }
	_ = json.Unmarshal([]byte(claim), &known) // nothing is claimed then
	k := c.server.cluster
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := k.sessions[known.Pid]; s != nil {
		c.resume(s, known.Offset)
	} else {
		c.session = &session{secret: "secret-" + strconv.Itoa(c.number), conn: c}
		k.sessions[c.session.secret] = c.session
	}
	c.send(fmt.Sprintf(`40{"sid":"x","pid":%q}`, c.session.secret))
}

// resume puts the connection in the place of the session's last one and sends
// what the client missed.
func (c *conn) resume(s *session, offset string) {
	old := s.conn
	s.conn, c.session = c, s
	c.number, c.delivered = old.number, old.delivered
	for _, members := range c.server.cluster.rooms {
		for i := range members {
			if members[i] == old {
				members[i] = c
			}
		}
	}
	next := 0
	if n, err := strconv.Atoi(offset); err == nil {
		next = n + 1
	}
	for _, p := range c.server.opts.Replay(c.number, s.log[next:]) {
		c.send(recoverable(p, len(s.log)-1))
	}
}

// deliver sends a payload to a member of a room, and keeps it for when the
// client comes back.
func (c *conn) deliver(room, payload string) {
	if c.session == nil {
		c.send(c.delivery(room, payload))
		return
	}
	c.session.log = append(c.session.log, payload)
	c.send(recoverable(payload, len(c.session.log)-1))
}

// recoverable is the message that carries a payload with its offset.
func recoverable(payload string, offset int) string {
	return fmt.Sprintf(`42["msg",%q,"%d"]`, payload, offset)
}
