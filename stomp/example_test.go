package stomp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/stomp"
)

// STOMP and Socket.IO clients of one program meet in its rooms.
func Example() {
	ctx := context.Background()
	io, err := socketio.New(socketio.Options{})
	if err != nil {
		panic(err)
	}
	front, err := stomp.New(io.Hub(), stomp.Options{
		App: func(ctx context.Context, c *stomp.Conn, m *stomp.Message) error {
			m.Body = []byte("hello " + string(m.Body))
			return c.Publish(ctx, "/topic/greetings", m)
		},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/stomp", front)
	mux.Handle("/socket.io/", io)
	web := httptest.NewServer(mux)

	ws, _, err := websocket.Dial(ctx, web.URL+"/stomp", nil)
	if err != nil {
		panic(err)
	}
	for _, frame := range []string{
		"CONNECT\naccept-version:1.2\n\n\x00",
		"SUBSCRIBE\nid:1\ndestination:/topic/greetings\n\n\x00",
		"SEND\ndestination:/app/greet\n\nann\x00",
	} {
		if err := ws.Write(ctx, websocket.MessageText, []byte(frame)); err != nil {
			panic(err)
		}
	}
	_, _, _ = ws.Read(ctx) // CONNECTED
	_, message, _ := ws.Read(ctx)
	command, _, _ := strings.Cut(string(message), "\n")
	_, body, _ := strings.Cut(string(message), "\n\n")
	fmt.Println(command, strings.TrimSuffix(body, "\x00"))

	_ = ws.CloseNow()
	// The front first, then the server whose hub it uses.
	_ = front.Close(ctx)
	_ = io.Close(ctx)
	web.Close()
	// Output: MESSAGE hello ann
}
