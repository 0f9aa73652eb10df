package socketio

import (
	"encoding/json"
	"errors"

	"github.com/seed-09a96375/belfry/socketio/packet"
)

var (
	// ErrDisconnected: the socket is not connected (any more).
	ErrDisconnected = errors.New("socket is disconnected")
	// ErrTimeout: not every client that was asked has answered in time.
	ErrTimeout = errors.New("operation has timed out")
)

// ConnectError refuses a client in a Middleware: Message and Data reach the
// client's connect_error. Any other error reaches it with its text.
type ConnectError struct {
	Message string
	Data    any // encoded as JSON; nil: none
}

func (e *ConnectError) Error() string { return e.Message }

// refusal returns the message and the JSON data of the CONNECT_ERROR for err.
func refusal(err error) (string, []byte) {
	var ce *ConnectError
	if !errors.As(err, &ce) {
		return err.Error(), nil
	}
	if ce.Data == nil {
		return ce.Message, nil
	}
	data, err := json.Marshal(ce.Data)
	if err != nil {
		return ce.Message, nil
	}
	return ce.Message, data
}

// errorAck is the ack of an event whose handler failed. An error with a method
// ErrorCode gives its code.
func errorAck(err error) []byte {
	b := append([]byte(nil), `[{"error":{"message":`...)
	b = packet.AppendString(b, err.Error())
	var coded interface{ ErrorCode() string }
	if errors.As(err, &coded) {
		b = packet.AppendString(append(b, `,"code":`...), coded.ErrorCode())
	}
	return append(b, `}}]`...)
}
