package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"regexp"

	"github.com/seed-09a96375/belfry/socketio"
)

// contract is one server's share of the contract.
type contract struct {
	server  *socketio.Server
	records *records
}

// serve opens the namespaces.
func (c contract) serve() {
	s := c.server
	for _, n := range []*socketio.Namespace{
		s.Of("/"), s.Of("/custom"), s.OfPattern(regexp.MustCompile(`^/dyn-\d+$`)), s.Of("/guarded"),
	} {
		c.record(n)
		c.handle(n)
	}
	s.Of("/guarded").Use(guard)
	s.Of("/refused").Use(func(context.Context, *socketio.Socket) error {
		return &socketio.ConnectError{Message: "not authorized", Data: map[string]int{"code": 42}}
	})
	s.Of("/refused-plain").Use(func(context.Context, *socketio.Socket) error {
		return errors.New("not authorized")
	})
	s.Of("/silent").Use(func(ctx context.Context, _ *socketio.Socket) error {
		<-ctx.Done()
		return ctx.Err()
	})
	socketio.OnServerSide(s.Of("/"), "note", func(_ context.Context, a socketio.Args) (string, error) {
		var text string
		err := a.Decode(&text)
		return text + " noted", err
	})
}

func (c contract) record(n *socketio.Namespace) {
	n.OnConnect(func(_ context.Context, s *socketio.Socket) { c.records.connected(s) })
	n.OnAny(c.records.received)
	n.OnDisconnect(c.records.left)
}

// guard lets in who shows the secret.
func guard(_ context.Context, s *socketio.Socket) error {
	var auth struct{ Token string }
	if raw := s.Auth(); raw != nil {
		if err := json.Unmarshal(raw, &auth); err != nil {
			return err
		}
	}
	if cmp.Or(auth.Token, s.Handshake().Query["token"]) != "secret" {
		return errors.New("wrong token")
	}
	return nil
}
