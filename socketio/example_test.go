package socketio_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"

	"github.com/seed-09a96375/belfry/socketio"
)

// A chat: everyone who connects is in the lobby, and what one says reaches all.
// A program serves it with http.Handle("/socket.io/", srv) and
// http.ListenAndServe; with Options.Bus any number of such programs are one
// server.
func Example() {
	type Message struct{ From, Text string }

	srv, err := socketio.New(socketio.Options{})
	if err != nil {
		panic(err)
	}
	srv.OnConnect(func(_ context.Context, s *socketio.Socket) {
		_ = s.Join("lobby") // fails only if the client has gone
	})
	socketio.On(srv, "chat", func(ctx context.Context, _ *socketio.Socket, m Message) error {
		return srv.To("lobby").Emit(ctx, "chat", m)
	})

	// What two clients send and get, on the wire.
	web := serveExample(srv)
	defer web.stop()
	ada, grace := web.connect(), web.connect()
	ada.send(`42["chat",{"From":"Ada","Text":"hello"}]`)
	fmt.Println(ada.receive())
	fmt.Println(grace.receive())

	// Output:
	// 42["chat",{"From":"Ada","Text":"hello"}]
	// 42["chat",{"From":"Ada","Text":"hello"}]
}

// An event that is answered: what the handler returns reaches the callback that
// the client gave, and so does an error.
func ExampleOnAck() {
	type Division struct{ By, Of float64 }

	srv, err := socketio.New(socketio.Options{})
	if err != nil {
		panic(err)
	}
	socketio.OnAck(srv, "divide", func(_ context.Context, _ *socketio.Socket, d Division) (float64, error) {
		if d.By == 0 {
			return 0, errors.New("cannot divide by 0")
		}
		return d.Of / d.By, nil
	})

	web := serveExample(srv)
	defer web.stop()
	client := web.connect()
	client.send(`421["divide",{"Of":3,"By":2}]`)
	fmt.Println(client.receive())
	client.send(`422["divide",{"Of":3}]`)
	fmt.Println(client.receive())

	// Output:
	// 431[1.5]
	// 432[{"error":{"message":"cannot divide by 0"}}]
}

// exampleWeb is a server with its clients.
type exampleWeb struct {
	srv     *socketio.Server
	web     *httptest.Server
	clients []exampleClient
}

func serveExample(srv *socketio.Server) *exampleWeb {
	return &exampleWeb{srv: srv, web: httptest.NewServer(srv)}
}

func (w *exampleWeb) stop() {
	for _, c := range w.clients {
		_ = c.ws.CloseNow()
	}
	if err := w.srv.Close(context.Background()); err != nil {
		panic(err)
	}
	w.web.Close()
}

// exampleClient shows what is on the wire: 42 is an event, 43 an ack, and the
// number that follows connects the two.
type exampleClient struct{ ws *websocket.Conn }

// connect returns a client of the main namespace.
func (w *exampleWeb) connect() exampleClient {
	ws, _, err := websocket.Dial(context.Background(), w.web.URL+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		panic(err)
	}
	c := exampleClient{ws}
	w.clients = append(w.clients, c)
	c.receive() // the handshake
	c.send("40")
	if hello := c.receive(); !strings.HasPrefix(hello, `40{"sid":`) {
		panic("not connected: " + hello)
	}
	return c
}

func (c exampleClient) send(packet string) {
	if err := c.ws.Write(context.Background(), websocket.MessageText, []byte(packet)); err != nil {
		panic(err)
	}
}

func (c exampleClient) receive() string {
	_, packet, err := c.ws.Read(context.Background())
	if err != nil {
		panic(err)
	}
	return string(packet)
}
