package benchtest

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/seed-09a96375/belfry/internal/bench/frame"
)

// conn is one client of a Server.
type conn struct {
	net.Conn
	server    *Server
	in        *bufio.Reader
	number    int // of the client, in the order of connecting
	delivered int
	answered  int
	session   *session // nil without recovery
	out       sync.Mutex
}

// accept computes Sec-WebSocket-Accept, RFC 6455 section 4.2.2.
func accept(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// talk answers the client's messages until the connection ends.
func (c *conn) talk() {
	if !c.server.opts.Centrifuge {
		c.send(or(c.server.opts.Greeting, `0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`))
	}
	for {
		op, p, err := c.read()
		switch {
		case err != nil || op == frame.Close:
			return
		case op == frame.Pong:
			c.server.pongs.Add(1)
		case op == frame.Text && c.server.opts.Centrifuge:
			c.centrifuge(p)
		case op == frame.Text:
			c.socketIO(string(p))
		}
	}
}

func or(s, otherwise string) string {
	if s != "" {
		return s
	}
	return otherwise
}

// read reads one masked frame.
func (c *conn) read() (frame.Op, []byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return 0, nil, err
	}
	n := int(head[1] & 0x7f)
	if n == 126 {
		var long [2]byte
		if _, err := io.ReadFull(c.in, long[:]); err != nil {
			return 0, nil, err
		}
		n = int(binary.BigEndian.Uint16(long[:]))
	}
	p := make([]byte, 4+n)
	if _, err := io.ReadFull(c.in, p); err != nil {
		return 0, nil, err
	}
	key, data := p[:4], p[4:]
	for i := range data {
		data[i] ^= key[i%4]
	}
	return frame.Op(head[0] & 0x0f), data, nil
}

// send writes one message, the way the options want it. Whoever is gone reads
// it no more.
func (c *conn) send(message string) {
	c.out.Lock()
	defer c.out.Unlock()
	if !c.server.opts.Split {
		_, _ = c.Write(frame.AppendServer(nil, frame.Text, []byte(message)))
		return
	}
	half := len(message) / 2
	first := frame.AppendServer(nil, frame.Text, []byte(message[:half]))
	first[0] &^= 0x80 // not the last frame
	p := frame.AppendServer(first, frame.Ping, []byte("between"))
	p = frame.AppendServer(p, frame.Continuation, []byte(message[half:]))
	// In pieces, so that frames arrive torn apart.
	for len(p) > 0 {
		n := min(len(p), 37)
		_, _ = c.Write(p[:n])
		p = p[n:]
	}
}

// heartbeat sends what the client must answer, if so wanted.
func (c *conn) heartbeat() {
	switch {
	case !c.server.opts.Heartbeat:
	case c.server.opts.Centrifuge:
		c.send("{}")
	default:
		c.send("2")
	}
}

// answer is the echo of a payload, perhaps spoilt; ack makes the message.
func (c *conn) answer(payload string, ack func(string) string) {
	for _, p := range c.server.opts.Answer(c.number, c.answered, payload) {
		c.send(ack(p))
	}
	c.answered++
	c.heartbeat()
}

// delivery is the message that carries a payload to a member of a room.
func (c *conn) delivery(room, payload string) string {
	if c.server.opts.Centrifuge {
		// Two events in one message.
		return fmt.Sprintf(`{"push":{"channel":%q,"join":{}}}`+"\n"+`{"push":{"channel":%[1]q,"pub":{"data":%[2]q}}}`, room, payload)
	}
	return fmt.Sprintf(`42["msg",%q]`, payload)
}

// socketIO handles a packet of Socket.IO 5 in Engine.IO 4.
func (c *conn) socketIO(p string) {
	switch {
	case p == "3":
		c.server.pongs.Add(1)
	case strings.HasPrefix(p, "40"):
		c.hello(p[2:])
	case strings.HasPrefix(p, "42"):
		id, args, _ := strings.Cut(p[2:], "[")
		var event []string
		if json.Unmarshal([]byte("["+args), &event) != nil {
			c.Close()
			return
		}
		c.event(id, event)
	}
}

func (c *conn) event(id string, args []string) {
	switch args[0] {
	case "join":
		c.server.cluster.join(args[1], c)
		if !c.server.opts.NoJoinAck {
			c.send("43" + id + "[]")
		}
	case "say":
		c.server.cluster.say(args[1], args[2])
		c.heartbeat()
	case "echo":
		c.answer(args[1], func(p string) string { return fmt.Sprintf("43%s[%q]", id, p) })
	}
}

// command is a request of the centrifuge protocol.
type command struct {
	ID        int
	Connect   *struct{}
	Subscribe *struct{ Channel string }
	Publish   *struct{ Channel, Data string }
	RPC       *struct{ Data string }
}

// centrifuge handles a message of the centrifuge protocol.
func (c *conn) centrifuge(p []byte) {
	var r command
	if string(p) == "{}" {
		c.server.pongs.Add(1)
		return
	}
	if json.Unmarshal(p, &r) != nil {
		c.Close()
		return
	}
	switch {
	case r.Connect != nil:
		c.send(or(c.server.opts.Welcome, fmt.Sprintf(`{"id":%d,"connect":{"client":"x","ping":25,"pong":true}}`, r.ID)))
	case r.Subscribe != nil:
		c.server.cluster.join(r.Subscribe.Channel, c)
		c.send(fmt.Sprintf(`{"id":%d,"subscribe":{}}`, r.ID))
	case r.Publish != nil:
		c.server.cluster.say(r.Publish.Channel, r.Publish.Data)
		c.send(fmt.Sprintf(`{"id":%d,"publish":{}}`, r.ID))
		c.heartbeat()
	case r.RPC != nil:
		c.answer(r.RPC.Data, func(p string) string { return fmt.Sprintf(`{"id":%d,"rpc":{"data":%q}}`, r.ID, p) })
	}
}
