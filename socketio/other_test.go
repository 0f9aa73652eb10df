package socketio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/seed-09a96375/belfry/socketio"
)

// coded is an error with a code.
type coded struct{ code string }

func (e coded) Error() string     { return "what is wrong" }
func (e coded) ErrorCode() string { return e.code }

func TestEventsWithoutAHandler(t *testing.T) {
	n := newNode(t, socketio.Options{})
	acks := make(chan socketio.Acknowledge, 1)
	socketio.OnOther(n, func(_ context.Context, _ *socketio.Socket, event string, args socketio.Args, ack socketio.Acknowledge) {
		switch event {
		case "panics":
			panic("of the test")
		case "fails":
			ack(args, fmt.Errorf("in it: %w", coded{"no_route"}))
			ack(args, errors.New("twice"))
		case "later":
			acks <- ack
		case "silent":
			if ack != nil {
				t.Error("an ack that the client does not want")
			}
		default:
			array, attachments := args.Array()
			again, err := socketio.NewArgs(array, attachments)
			ack(again, err)
		}
	})
	socketio.On(n, "known", func(context.Context, *socketio.Socket, socketio.None) error { return coded{"known"} })
	c, id := connect(t, n)
	c.send(`42["silent"]`, `421["echo", 1 ,{"a":[]}]`, `422["echo"]`, `423["fails"]`, `424["panics"]`, `425["known"]`)
	c.want(`431[1,{"a":[]}]`, `432[]`, `433[{"error":{"message":"in it: what is wrong","code":"no_route"}}]`)
	c.want(`434[{"error":{"message":"internal error"}}]`, `435[{"error":{"message":"what is wrong","code":"known"}}]`)

	c.send(`426["later"]`, `427["echo",7]`)
	c.want(`437[7]`) // who waits holds nobody up
	(<-acks)(socketio.Args{}, nil)
	c.want(`436[]`)

	s, _ := n.Socket(id)
	socketio.OnOther(s, func(_ context.Context, _ *socketio.Socket, _ string, _ socketio.Args, ack socketio.Acknowledge) {
		ack(socketio.Args{}, errors.New("its own"))
	})
	c.send(`428["echo",7]`)
	c.want(`438[{"error":{"message":"its own"}}]`)
}

func TestArgsFromJSON(t *testing.T) {
	for text, ok := range map[string]bool{`[]`: true, ` [1,"a"]`: true, ``: false, `{}`: false, `"[]"`: false, `null`: false} {
		if _, err := socketio.NewArgs(json.RawMessage(text), nil); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
	if _, err := socketio.NewArgs(json.RawMessage(`[]`), make([][]byte, 11)); err == nil {
		t.Error("more binary values than clients take")
	}
	a, err := socketio.NewArgs(json.RawMessage(`[{"_placeholder":true,"num":0}]`), [][]byte{{1, 2}})
	var got []byte
	if err != nil || a.Decode(&got) != nil || len(got) != 2 {
		t.Errorf("%v %v", got, err)
	}
}
