package websocket

import (
	"crypto/sha1"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// Upgrader turns HTTP requests into connections. Safe for concurrent use.
type Upgrader struct {
	o         Options
	inflaters sync.Pool
}

// New checks o and returns an Upgrader. It starts nothing.
func New(o Options) (*Upgrader, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Upgrader{o: o.withDefaults(), inflaters: sync.Pool{New: newInflater}}, nil
}

// HandshakeError says why a request cannot become a WebSocket. Nothing has been
// written yet: the caller answers with Status, Header and Message.
type HandshakeError struct {
	Status  int    // HTTP status
	Message string // for the body, one line
	// Header is to be added to the response; nil if there is nothing to add. Its
	// keys are spelled as Node's ws writes them, which is not Go's canonical
	// form: copy the entries, do not look them up.
	Header http.Header
}

func (e *HandshakeError) Error() string { return "websocket handshake: " + e.Message }

// Handshake is a request that passed Upgrader.Check. It refers to nothing of
// the request. The zero value is not a handshake: Upgrade refuses it.
type Handshake struct {
	accept   string // the answer to the key; empty: no handshake
	protocol uint8  // index in Options.Subprotocols + 1; 0: none
	deflate  deflateAnswer
}

// Check judges r by RFC 6455 section 4.2.1 and negotiates subprotocol and
// permessage-deflate. It writes nothing and does not change r. Every error is a
// *HandshakeError with the status and text of Node's ws, where that has one.
//
// Version 8 is accepted besides 13, as by ws: the frames are the same. Its
// clients send Sec-WebSocket-Origin instead of Origin; who checks origins must
// look at both.
func (u *Upgrader) Check(r *http.Request) (Handshake, error) {
	if err := checkRequest(r); err != nil {
		return Handshake{}, err
	}
	protocol, err := u.chooseProtocol(r.Header)
	if err != nil {
		return Handshake{}, err
	}
	deflate, err := u.chooseDeflate(r.Header)
	if err != nil {
		return Handshake{}, err
	}
	key := r.Header["Sec-Websocket-Key"][0]
	return Handshake{accept: accept(key), protocol: protocol, deflate: deflate}, nil
}

// Subprotocol returns the name that was agreed upon in h, empty if none was.
func (u *Upgrader) Subprotocol(h Handshake) string { return u.subprotocol(h.protocol) }

func (u *Upgrader) subprotocol(i uint8) string {
	if i == 0 {
		return ""
	}
	return u.o.Subprotocols[i-1]
}

// checkRequest judges all that no option decides.
func checkRequest(r *http.Request) error {
	switch {
	case r.Method != http.MethodGet:
		return &HandshakeError{Status: http.StatusMethodNotAllowed, Message: "Invalid HTTP method"}
	case r.ProtoMajor != 1 || r.ProtoMinor < 1:
		return badRequest("Invalid HTTP version")
	case !hasToken(r.Header["Connection"], "upgrade"):
		return badRequest("Invalid Connection header")
	case !hasToken(r.Header["Upgrade"], "websocket"):
		return badRequest("Invalid Upgrade header")
	case !validKey(r.Header["Sec-Websocket-Key"]):
		return badRequest("Missing or invalid Sec-WebSocket-Key header")
	case !validVersion(r.Header["Sec-Websocket-Version"]):
		err := badRequest("Missing or invalid Sec-WebSocket-Version header")
		err.Header = http.Header{"Sec-WebSocket-Version": {"13, 8"}}
		return err
	case r.ContentLength != 0:
		// A body would be taken for frames.
		return badRequest("Unexpected request body")
	}
	return nil
}

func badRequest(message string) *HandshakeError {
	return &HandshakeError{Status: http.StatusBadRequest, Message: message}
}

// validKey reports whether the header stands there once and is the base64 form
// of 16 bytes.
func validKey(values []string) bool {
	if len(values) != 1 || len(values[0]) != 24 {
		return false
	}
	var raw [18]byte
	n, err := base64.StdEncoding.Decode(raw[:], []byte(values[0]))
	return err == nil && n == 16
}

func validVersion(values []string) bool {
	return len(values) == 1 && (values[0] == "13" || values[0] == "8")
}

// accept answers a key, RFC 6455 section 4.2.2.
func accept(key string) string {
	const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
	sum := sha1.Sum([]byte(key + guid))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// chooseProtocol returns the first name of the client that is one of ours, as
// index + 1, or 0.
func (u *Upgrader) chooseProtocol(h http.Header) (uint8, error) {
	if len(u.o.Subprotocols) == 0 {
		return 0, nil
	}
	var chosen uint8
	for _, value := range h["Sec-Websocket-Protocol"] {
		for name := range strings.SplitSeq(value, ",") {
			name = strings.Trim(name, " \t")
			if !isToken(name) {
				return 0, badRequest("Invalid Sec-WebSocket-Protocol header")
			}
			if chosen == 0 {
				chosen = uint8(slices.Index(u.o.Subprotocols, name) + 1)
			}
		}
	}
	return chosen, nil
}

// hasToken reports whether a header that is a list of tokens has the given one,
// in any case.
func hasToken(values []string, token string) bool {
	for _, value := range values {
		for t := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.Trim(t, " \t"), token) {
				return true
			}
		}
	}
	return false
}

// isToken reports whether s is a token, RFC 9110 section 5.6.2.
func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isTokenByte(b byte) bool {
	switch {
	case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", b) >= 0
}
