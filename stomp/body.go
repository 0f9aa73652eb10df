package stomp

import (
	"bytes"
	"encoding/json"
	"mime"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio/packet"
)

// The body of a frame and the arguments of an event:
//
//	content-type                  body            arguments
//	text/*, none                  UTF-8           one string
//	application/json, */*+json    JSON            one value; with a header args: the elements of the array
//	none                          not UTF-8       one binary value
//	any other                     any bytes       one binary value
//
// and the other way round: a string is text/plain, a binary value is
// application/octet-stream, any other value is application/json. An event with no
// argument, or with several, has a header args with their number and an array as
// its body. Binary values within others become base64.
const (
	typeText   = "text/plain"
	typeJSON   = "application/json"
	typeBinary = "application/octet-stream"
)

const placeholder = `{"_placeholder":true,"num":0}`

// arguments returns the event as the bus has it.
func arguments(event string, m *Message) (data []byte, attachments [][]byte, err error) {
	args, attachments, err := m.Args()
	if err != nil {
		return nil, nil, err
	}
	data = packet.AppendString([]byte{'['}, event)
	if len(args) > len("[]") {
		data = append(data, ',')
	}
	return append(data, args[1:]...), attachments, nil
}

// Args returns the arguments of the event that m stands for: a JSON array, in which a
// binary value is a placeholder for the attachment.
func (m *Message) Args() (data json.RawMessage, attachments [][]byte, err error) {
	data = json.RawMessage{'['}
	switch bodyType(m.ContentType, m.Body) {
	case typeText:
		if !utf8.Valid(m.Body) {
			return nil, nil, invalid("the body is not UTF-8")
		}
		data = packet.AppendString(data, string(m.Body))
	case typeJSON:
		// What is not UTF-8 would end the WebSockets of all who get it.
		if !json.Valid(m.Body) || !utf8.Valid(m.Body) {
			return nil, nil, invalid("the body is not JSON in UTF-8")
		}
		if data, err = appendJSON(data, m); err != nil {
			return nil, nil, err
		}
	default:
		data = append(data, placeholder...)
		attachments = [][]byte{m.Body}
	}
	return append(data, ']'), attachments, nil
}

// appendJSON appends the value, or the elements of the array that a header args
// counts.
func appendJSON(data []byte, m *Message) ([]byte, error) {
	count := m.Header("args")
	if count == "" {
		return append(data, m.Body...), nil
	}
	body := bytes.TrimSpace(m.Body)
	if body[0] != '[' {
		return nil, invalid("with a header args the body must be a JSON array")
	}
	elements := packet.Split(nil, body)
	if n, err := strconv.Atoi(count); err != nil || n != len(elements) {
		return nil, invalid("the header args is %q, the array has %d elements", count, len(elements))
	}
	for i, e := range elements {
		if i > 0 {
			data = append(data, ',')
		}
		data = append(data, e...)
	}
	return data, nil
}

func bodyType(contentType string, body []byte) string {
	if contentType == "" {
		if utf8.Valid(body) {
			return typeText
		}
		return typeBinary
	}
	t, _, err := mime.ParseMediaType(contentType)
	switch {
	case err != nil:
		return typeBinary
	case strings.HasPrefix(t, "text/"):
		return typeText
	case t == typeJSON || strings.HasSuffix(t, "+json"):
		return typeJSON
	}
	return typeBinary
}

// content is an event as bodies have it.
type content struct {
	event       string
	contentType string
	args        string // the header of that name, empty: none
	body        []byte
	binary      bool // the body may not be UTF-8
}

func newContent(m *belfry.Message) content {
	name, err := packet.EventName(m.Data)
	if err != nil {
		return content{event: defaultEvent, contentType: typeJSON, body: m.Data}
	}
	c := content{event: string(name)}
	args := packet.Split(nil, m.Data)[1:]
	if len(args) == 1 {
		c.single(args[0], m.Attachments)
		return c
	}
	c.contentType, c.args = typeJSON, strconv.Itoa(len(args))
	b := []byte{'['}
	for i, a := range args {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, inline(a, m.Attachments)...)
	}
	c.body = append(b, ']')
	return c
}

func (c *content) single(arg json.RawMessage, attachments [][]byte) {
	if text, ok := unquote(arg); ok {
		c.contentType, c.body = typeText, text
		return
	}
	if len(attachments) > 0 {
		var v any
		if packet.Unmarshal(arg, attachments, &v) == nil {
			if b, ok := v.([]byte); ok {
				c.contentType, c.body, c.binary = typeBinary, b, true
				return
			}
		}
	}
	c.contentType, c.body = typeJSON, inline(arg, attachments)
}

// unquote returns the text of a JSON string; ok is false for any other value.
func unquote(arg []byte) (text []byte, ok bool) {
	if arg[0] != '"' {
		return nil, false
	}
	if bytes.IndexByte(arg, '\\') < 0 {
		return arg[1 : len(arg)-1], true
	}
	var s string
	err := json.Unmarshal(arg, &s)
	return []byte(s), err == nil
}

// inline puts binary values into JSON, as base64.
func inline(arg json.RawMessage, attachments [][]byte) []byte {
	if len(attachments) == 0 {
		return arg
	}
	var v any
	if packet.Unmarshal(arg, attachments, &v) != nil {
		return arg
	}
	b, err := json.Marshal(v)
	if err != nil {
		return arg
	}
	return b
}
