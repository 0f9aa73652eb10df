package websocket

import (
	"net/http"
	"strings"
)

// deflateAnswer is what a client is told about permessage-deflate.
type deflateAnswer uint8

const (
	declined deflateAnswer = iota
	agreed
	agreedWindow // the client asked for a window of 15 bits and must be told so
)

// String is the answer as it stands in the header. No side ever carries its
// window over to the next message: that would cost each connection about a
// megabyte (RFC 7692 section 7.1.1).
func (a deflateAnswer) String() string {
	const answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	switch a {
	case agreed:
		return answer
	case agreedWindow:
		return answer + "; server_max_window_bits=15"
	}
	return ""
}

// chooseDeflate answers the offers of a client: the first that can be kept.
func (u *Upgrader) chooseDeflate(h http.Header) (deflateAnswer, error) {
	if u.o.Deflate == nil {
		return declined, nil
	}
	offers, err := parseExtensions(strings.Join(h["Sec-Websocket-Extensions"], ","))
	if err != nil {
		return declined, badRequest("Invalid or unacceptable Sec-WebSocket-Extensions header")
	}
	for _, e := range offers {
		if a := answerOffer(e); a != declined {
			return a, nil
		}
	}
	return declined, nil
}

// answerOffer judges one offer, RFC 7692 section 7.1. Unknown, repeated and
// wrongly valued parameters decline it.
func answerOffer(e extension) deflateAnswer {
	if e.name != "permessage-deflate" {
		return declined
	}
	answer := agreed
	for i, p := range e.params {
		if !validParam(p) || repeated(e.params[:i], p.name) {
			return declined
		}
		if p.name == "server_max_window_bits" {
			// The compressor's window cannot be made smaller.
			if p.value != "15" {
				return declined
			}
			answer = agreedWindow
		}
	}
	return answer
}

func validParam(p param) bool {
	switch p.name {
	case "server_no_context_takeover", "client_no_context_takeover":
		return !p.valued
	case "server_max_window_bits":
		return windowBits(p.value)
	case "client_max_window_bits":
		return !p.valued || windowBits(p.value)
	}
	return false
}

// windowBits reports whether s is a number from 8 to 15 without leading zeros.
func windowBits(s string) bool {
	switch s {
	case "8", "9", "10", "11", "12", "13", "14", "15":
		return true
	}
	return false
}

func repeated(before []param, name string) bool {
	for _, p := range before {
		if p.name == name {
			return true
		}
	}
	return false
}
