package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/queue/memory"
)

// Order is what clients send.
type Order struct {
	Item  string `json:"item"`
	Count int    `json:"count"`
}

// send stands for Belfry: it appends what a client has sent.
func send(q *memory.Queue, id, args string) {
	e := &belfry.Event{ID: id, Namespace: "/", Name: "order", Args: json.RawMessage(args), Key: "ada", Reply: true}
	if err := q.Append(context.Background(), e); err != nil {
		fmt.Println(err)
	}
}

func ExampleClient_Consume() {
	// In production this is client.Options{Redis: "redis://10.0.0.5:6379"}.
	orders, _ := memory.New(memory.Options{Groups: []string{"billing"}})
	c, err := client.New(context.Background(), client.Options{Queues: map[string]client.Queue{"orders": orders}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	send(orders, "1", `[{"item":"bell","count":2}]`)
	send(orders, "2", `[{"item":"rope","count":1}]`)

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	err = c.Consume(ctx, "orders", "billing", client.Typed(
		func(_ context.Context, d *client.Delivery, o Order) (any, error) {
			fmt.Printf("%s wants %d × %s\n", d.Key, o.Count, o.Item)
			if d.ID == "2" {
				stop() // handlers that run come to an end
			}
			return map[string]int{"total": o.Count * 10}, nil
		}), client.ConsumeOptions{})
	fmt.Println(err)
	answer, _ := orders.Await(context.Background(), "1") // as Belfry does for the client's ack
	fmt.Printf("%s\n", answer.Args)
	// Output:
	// ada wants 2 × bell
	// ada wants 1 × rope
	// <nil>
	// [{"total":20}]
}

func ExampleClient_Consume_errors() {
	orders, _ := memory.New(memory.Options{Groups: []string{"billing"}})
	c, _ := client.New(context.Background(), client.Options{Queues: map[string]client.Queue{"orders": orders}})
	defer c.Close()
	send(orders, "1", `["no order"]`)
	send(orders, "2", `[{"item":"rope","count":1}]`)

	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	_ = c.Consume(ctx, "orders", "billing", client.Typed(
		func(_ context.Context, d *client.Delivery, o Order) (any, error) {
			if d.Tries == 1 {
				return nil, &client.RetryError{Reason: errors.New("the bank is busy")} // comes again
			}
			fmt.Println("try", d.Tries, "of", o.Item)
			stop()
			return errors.New("no rope left"), nil // the client's answer; the event is done with
		}), client.ConsumeOptions{})
	for _, dead := range orders.Dead() {
		fmt.Println("dead letter:", dead.ID)
	}
	answer, _ := orders.Await(context.Background(), "2")
	fmt.Println(answer.Error)
	// Output:
	// try 2 of rope
	// dead letter: 1
	// no rope left
}

func ExampleClient_Publish() {
	busy := true
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if busy { // a node that stops, say
			busy = false
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		body, _ := io.ReadAll(r.Body)
		fmt.Printf("%s %s\n%s\n", r.Method, r.URL.Path, body)
	}))
	defer api.Close()
	c, err := client.New(context.Background(), client.Options{API: api.URL, Key: "key"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	err = c.Publish(context.Background(), &client.Message{
		Rooms: []string{"till"}, Event: "sold", Args: []any{Order{Item: "bell", Count: 2}}, ID: "sale-17",
	})
	fmt.Println(err)
	// Output:
	// POST /api/publish
	// {"rooms":["till"],"event":"sold","args":[{"item":"bell","count":2}],"id":"sale-17"}
	// <nil>
}
