package plain_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/plain"
	"github.com/seed-09a96375/belfry/socketio"
)

// Clients with nothing but a WebSocket are in the rooms of Socket.IO clients.
func Example() {
	ctx := context.Background()
	io, err := socketio.New(socketio.Options{})
	if err != nil {
		panic(err)
	}
	front, err := plain.New(io.Hub(), plain.Options{
		App: func(_ context.Context, _ *plain.Conn, e *plain.Event) (*plain.Answer, error) {
			return &plain.Answer{Args: e.Args}, nil
		},
	})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ws", front.WebSocket())
	mux.Handle("/sse", front.EventStream())
	mux.Handle("/socket.io/", io)
	web := httptest.NewServer(mux)

	ws, _, err := websocket.Dial(ctx, web.URL+"/ws", nil)
	if err != nil {
		panic(err)
	}
	for _, request := range []string{
		`{"id":1,"join":{"room":"lobby"}}`,
		`{"publish":{"room":"lobby","event":"chat","args":[{"text":"hi"}]}}`,
		`{"id":2,"event":{"name":"echo","args":["ann"]}}`,
	} {
		if err := ws.Write(ctx, websocket.MessageText, []byte(request)); err != nil {
			panic(err)
		}
	}
	for range 3 {
		_, message, _ := ws.Read(ctx)
		fmt.Println(string(message))
	}

	_ = ws.CloseNow()
	// The front first, then the server whose hub it uses.
	_ = front.Close(ctx)
	_ = io.Close(ctx)
	web.Close()
	// Output:
	// {"id":1,"ok":{}}
	// {"room":"lobby","event":"chat","args":[{"text":"hi"}]}
	// {"id":2,"ok":{"args":["ann"]}}
}
