package engineio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"

	"github.com/seed-09a96375/belfry/engineio"
)

// echo sends every text back to the client that it came from.
type echo struct{ session *engineio.Session }

func (e echo) Message(data []byte, _ bool) error {
	buf := append(engineio.Buffer(len(data)), data...)
	return e.session.Send(engineio.NewText(buf, nil), engineio.SendOptions{})
}

func (e echo) Closed(reason engineio.Reason, _ error) { fmt.Println("closed:", reason) }

// A server that echoes, and a client that polls.
func ExampleServer() {
	server, err := engineio.New(engineio.Options{}, func(s *engineio.Session) engineio.Receiver {
		return echo{s}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	request := func(method, query, body string) string {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest(method, "/engine.io/?EIO=4&transport=polling"+query, strings.NewReader(body)))
		return w.Body.String()
	}
	var open struct{ SID string }
	if err := json.Unmarshal([]byte(request("GET", "", "")[1:]), &open); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("POST:", request("POST", "&sid="+open.SID, "4hello"))
	fmt.Println("GET:", request("GET", "&sid="+open.SID, ""))
	fmt.Println("POST:", request("POST", "&sid="+open.SID, "1"))
	if err := server.Close(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// POST: ok
	// GET: 4hello
	// closed: transport close
	// POST: ok
}
