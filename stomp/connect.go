package stomp

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/stomp/frame"
	"github.com/seed-09a96375/belfry/websocket"
)

// versions are those that a client is told when it knows none of them.
const versions = "1.0,1.1,1.2"

// busTimeout bounds the wait for the bus where nothing else does.
const busTimeout = 5 * time.Second

// connect answers CONNECT.
func (c *Conn) connect(ctx context.Context, f *frame.Frame) error {
	if !c.is(fresh) {
		return invalid("second %s", f.Command)
	}
	if err := c.admit(ctx, f); err != nil {
		c.server.refused.Add(1)
		return err
	}
	c.server.entered.Add(1)
	c.welcome()
	return nil
}

// admit lets the client in.
func (c *Conn) admit(ctx context.Context, f *frame.Frame) error {
	v, err := negotiate(f)
	if err != nil {
		return err
	}
	can, want, err := parseHeartbeat(f.Value("heart-beat"))
	if err != nil {
		return err
	}
	if err := c.authenticate(ctx, f); err != nil {
		return err
	}
	c.mu.Lock()
	c.version = v
	c.mu.Unlock()
	if err := c.enter(ctx); err != nil {
		return err
	}
	c.pulse.agree(c.server.wheel, c.server.o.Heartbeat, can, want)
	return nil
}

// negotiate returns the highest version that both sides know. A client that names
// none speaks 1.0.
func negotiate(f *frame.Frame) (frame.Version, error) {
	accept, ok := f.Get("accept-version")
	if !ok {
		trim(f)
		return frame.V10, nil
	}
	best := frame.Unknown
	for name := range strings.SplitSeq(string(accept), ",") {
		best = max(best, frame.ParseVersion(strings.TrimSpace(name)))
	}
	if best == frame.Unknown {
		return best, &refusal{
			code: websocket.CloseProtocol, version: true,
			message: "no common version: this server speaks " + versions + ", not " + string(accept),
		}
	}
	return best, nil
}

// trim takes blanks away that mean nothing in version 1.0.
func trim(f *frame.Frame) {
	for i, h := range f.Headers {
		f.Headers[i].Value = []byte(strings.TrimSpace(string(h.Value)))
	}
}

// authenticate asks the application who the client is.
func (c *Conn) authenticate(ctx context.Context, f *frame.Frame) error {
	l := c.extra().login
	c.mu.Lock()
	c.more = nil // the headers of the request have done their duty
	c.mu.Unlock()
	if c.server.o.Authenticate == nil {
		return nil
	}
	l.frame, l.conn = f, c
	l.Login, l.Passcode, l.Host = f.Value("login"), f.Value("passcode"), f.Value("host")
	if l.Authorization = f.Value("Authorization"); l.Authorization == "" {
		l.Authorization = l.Request.Get("Authorization")
	}
	user, err := c.server.o.Authenticate(ctx, l)
	if err != nil {
		return forbidden(err)
	}
	c.user = user
	c.admitted()
	if len(user) > hub.MaxUser {
		return &refusal{code: websocket.CloseInternalError, message: "name of the user is too long"}
	}
	return nil
}

// admitted notes that the end of the client has to be told, and tells at once of one
// that has gone meanwhile.
func (c *Conn) admitted() {
	c.mu.Lock()
	c.known = true
	gone := c.state == gone
	c.mu.Unlock()
	if gone {
		c.tellClosed()
	}
}

// tellClosed tells Options.Closed, once.
func (c *Conn) tellClosed() {
	c.mu.Lock()
	known := c.known
	c.known = false
	c.mu.Unlock()
	if known && c.server.o.Closed != nil {
		c.server.o.Closed(c)
	}
}

// enter makes the client a member of the hub.
func (c *Conn) enter(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, busTimeout)
	defer cancel()
	slot, err := c.server.space.Add(ctx, c)
	if err != nil {
		return err
	}
	c.mu.Lock()
	if c.state == gone {
		c.mu.Unlock()
		c.server.space.Remove(slot, c.id)
		return nil
	}
	c.slot = slot
	c.mu.Unlock()
	if c.user == "" {
		return nil
	}
	return c.join(ctx, hub.UserRoom(c.user))
}

// welcome sends CONNECTED. From then on there are heart-beats.
func (c *Conn) welcome() {
	every := strconv.FormatInt(c.server.o.Heartbeat.Milliseconds(), 10)
	b := frame.AppendCommand(newBuffer(0), frame.Connected)
	for _, h := range [...][2]string{
		{"version", c.version.String()},
		{"session", string(c.id)},
		{"server", "belfry"},
		{"heart-beat", every + "," + every},
		{"user-name", c.user},
	} {
		if h[1] != "" {
			b = frame.AppendHeader(b, frame.Unknown, h[0], h[1])
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != fresh {
		return
	}
	c.state = connected
	c.write(frame.AppendBody(b, nil))
	c.startPulse()
}
