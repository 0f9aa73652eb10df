package poll_test

import (
	"bytes"
	"context"
	"fmt"
	"net"

	"github.com/seed-09a96375/belfry/poll"
)

// shouter answers in capitals. It holds nothing but its connection.
type shouter struct{ conn poll.Conn }

func (s *shouter) Data(p []byte) error {
	return s.conn.Send(poll.Frame{Data: bytes.ToUpper(p)})
}

func (s *shouter) Closed(err error) { fmt.Println("closed:", err) }

func Example() {
	ctx := context.Background()
	group, err := poll.New(poll.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	ln, err := poll.Listen(ctx, "tcp", "127.0.0.1:0", poll.ListenOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer ln.Close()

	client, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	server, err := ln.Accept()
	if err != nil {
		fmt.Println(err)
		return
	}
	err = group.Add(server, nil, func(c poll.Conn) poll.Handler { return &shouter{c} })
	if err != nil {
		fmt.Println(err)
		return
	}

	_, _ = client.Write([]byte("hello"))
	answer := make([]byte, 5)
	_, _ = client.Read(answer)
	fmt.Println(string(answer))
	if err := group.Close(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// HELLO
	// closed: connection closed
}
