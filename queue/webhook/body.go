package webhook

import (
	"bytes"
	"encoding/json"
	"time"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
)

// body is what a request has, in the form of Standard Webhooks.
type body struct {
	Type      string    `json:"type"`      // the event's name
	Timestamp time.Time `json:"timestamp"` // when the client had sent it
	Data      data      `json:"data"`
}

type data struct {
	ID        string          `json:"id"`
	Namespace string          `json:"namespace"`
	Args      json.RawMessage `json:"args"` // an array
	Socket    belfry.SocketID `json:"socket,omitempty"`
	User      string          `json:"user,omitempty"`
	Key       string          `json:"key,omitempty"`
	Node      belfry.NodeID   `json:"node,omitempty"`
	// Reply says that the client waits: the body of the answer is what it gets.
	Reply bool `json:"reply,omitempty"`
}

// encode is the same for every try.
func encode(e *belfry.Event) ([]byte, error) {
	args := e.Args
	if len(args) == 0 {
		args = json.RawMessage("[]")
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(body{e.Name, e.Time.UTC(), data{
		ID: e.ID, Namespace: e.Namespace, Args: args, Socket: e.Socket, User: e.User, Key: e.Key, Node: e.Node, Reply: e.Reply,
	}})
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// answer reads the body of an answer: an array is the arguments of the client's ack,
// any other JSON is its only one, nothing is an ack without.
func answer(text []byte) *belfry.Answer {
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return &belfry.Answer{Args: json.RawMessage("[]")}
	case !json.Valid(text) || !utf8.Valid(text):
		return &belfry.Answer{Error: "the backend's answer is not JSON"}
	case text[0] == '[':
		return &belfry.Answer{Args: text}
	}
	return &belfry.Answer{Args: append(append([]byte{'['}, text...), ']')}
}
