package poll_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"github.com/seed-09a96375/belfry/poll"
)

func TestListen(t *testing.T) {
	ln, err := poll.Listen(context.Background(), "tcp", "127.0.0.1:0", poll.ListenOptions{})
	if err != nil {
		t.Fatal(err)
	}
	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	if server.RemoteAddr().String() != client.LocalAddr().String() {
		t.Errorf("accepted %v, want %v", server.RemoteAddr(), client.LocalAddr())
	}

	waiting := make(chan error, 1)
	go func() {
		_, err := ln.Accept()
		waiting <- err
	}()
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if err := <-waiting; !errors.Is(err, net.ErrClosed) {
		t.Errorf("Accept returns %v, want net.ErrClosed", err)
	}
}

func TestRaiseFileLimit(t *testing.T) {
	limit, err := poll.RaiseFileLimit()
	if err != nil {
		t.Fatal(err)
	}
	if limit < 256 {
		t.Errorf("limit %d", limit)
	}
}
