package plain

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// answer tells the client that a request was done. id nil: it does not want to know.
func (c *Conn) answer(id json.RawMessage, ok any) {
	if id != nil {
		c.send(object("id", id, "ok", ok))
	}
}

// answerError tells the client what is wrong, whether it wants to know or not.
func (c *Conn) answerError(id json.RawMessage, e *Error) { c.send(errorFrame(id, e)) }

func errorFrame(id json.RawMessage, e *Error) []byte {
	if id == nil {
		return object("error", e)
	}
	return object("id", id, "error", e)
}

// notice is what the client is told unasked.
func (c *Conn) notice(what string, about any) []byte {
	if c.stream {
		return streamEvent(streamPrefix+what, "", about)
	}
	return object(what, about)
}

// object is a frame with an object: names and values in turn.
func object(members ...any) []byte {
	b := append(newBuffer(128), '{')
	for i := 0; i < len(members); i += 2 {
		name, _ := members[i].(string)
		b = append(appendName(b, name), marshal(members[i+1])...)
	}
	return text(append(b, '}'))
}

// marshal encodes values of this package, which always works: raw JSON in them has
// been checked.
func marshal(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		b, _ = json.Marshal(struct {
			Error string `json:"error"`
		}{err.Error()})
	}
	return b
}

func appendNumber(b []byte, name string, n uint64) []byte {
	return strconv.AppendUint(appendName(b, name), n, 10)
}

// compact returns JSON without space; nil for none.
func compact(raw json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if len(raw) == 0 || json.Compact(&b, raw) != nil {
		return nil
	}
	return b.Bytes()
}
