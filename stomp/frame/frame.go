// Package frame is the codec of STOMP 1.0, 1.1 and 1.2.
//
//	COMMAND EOL
//	name:value EOL          any number of times
//	EOL
//	body NUL                EOLs may follow
//
// An EOL is a line feed, from clients also after a carriage return. The body ends
// with the first NUL, or, if there is a header content-length, after that many
// bytes, which may be any. An EOL where a frame could begin is a heart-beat.
//
//	escape  stands for      1.0   1.1   1.2
//	\n      line feed             yes   yes
//	\c      colon                 yes   yes
//	\\      backslash             yes   yes
//	\r      carriage return             yes
//
// CONNECT, STOMP and CONNECTED escape nothing, in any version: they come before
// the version is known.
//
// Splitter finds where frames end, also when they come in pieces; Decode takes one
// apart where it lies; Append builds one, or AppendCommand, AppendHeader and AppendBody do.
//
// Source: the STOMP specifications 1.0, 1.1 and 1.2 at stomp.github.io.
package frame

// Version is a version of the protocol. The zero value is for frames that come
// before one was agreed upon: nothing is escaped.
type Version uint8

// The versions, in ascending order.
const (
	Unknown Version = iota
	V10
	V11
	V12
)

// String is the version as the headers accept-version and version have it.
func (v Version) String() string {
	switch v {
	case V10:
		return "1.0"
	case V11:
		return "1.1"
	case V12:
		return "1.2"
	}
	return "unknown"
}

// ParseVersion returns Unknown for what is none.
func ParseVersion(s string) Version {
	for v := V10; v <= V12; v++ {
		if s == v.String() {
			return v
		}
	}
	return Unknown
}

// Commands of clients, then of servers.
const (
	Connect     = "CONNECT"
	Stomp       = "STOMP" // CONNECT by another name, since 1.1
	Send        = "SEND"
	Subscribe   = "SUBSCRIBE"
	Unsubscribe = "UNSUBSCRIBE"
	Ack         = "ACK"
	Nack        = "NACK" // since 1.1
	Begin       = "BEGIN"
	Commit      = "COMMIT"
	Abort       = "ABORT"
	Disconnect  = "DISCONNECT"

	Connected = "CONNECTED"
	Message   = "MESSAGE"
	Receipt   = "RECEIPT"
	Error     = "ERROR"
)

// Frame is one decoded frame. Its slices are parts of what it was decoded from.
type Frame struct {
	Command string
	Headers []Header // in their order, repeated ones included
	Body    []byte
}

// Header is one header, unescaped.
type Header struct{ Name, Value []byte }

// Get returns the value of a header; of repeated ones the first counts. ok is
// false if there is none.
func (f *Frame) Get(name string) (value []byte, ok bool) {
	for i := range f.Headers {
		if string(f.Headers[i].Name) == name {
			return f.Headers[i].Value, true
		}
	}
	return nil, false
}

// Value is Get as a string, empty if there is none.
func (f *Frame) Value(name string) string {
	v, _ := f.Get(name)
	return string(v)
}

// plain reports whether frames of that command escape nothing.
func plain(command string) bool {
	return command == Connect || command == Stomp || command == Connected
}
