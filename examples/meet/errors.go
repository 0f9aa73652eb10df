package meet

import (
	"errors"
	"fmt"
)

// refusal is an error that the client is told as it is.
type refusal string

func (r refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

const (
	errTaken      refusal = "somebody else is sharing"
	errNotSharing refusal = "you are not sharing"
	errNotIn      refusal = "you are not in that room"
	errNoRoom     refusal = "join a room first"
	errAway       refusal = "the server cannot do that now: try again"
)

// public is what the client is told of an error: nothing of what is inside.
func (m *Meet) public(event string, err error) error {
	var told refusal
	if err == nil || errors.As(err, &told) {
		return err
	}
	m.opts.Logger.Warn("event failed", "event", event, "err", err)
	return errAway
}
