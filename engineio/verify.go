package engineio

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Code numbers the ways in which a request is refused, as the protocol does.
type Code int

const (
	CodeTransportUnknown    Code = 0
	CodeSessionUnknown      Code = 1
	CodeBadHandshakeMethod  Code = 2
	CodeBadRequest          Code = 3
	CodeForbidden           Code = 4
	CodeUnsupportedProtocol Code = 5
	// CodeServerFull is Belfry's own: MaxSessions is reached, or the server is
	// closing. Status 503 with Retry-After.
	CodeServerFull Code = 6
)

// String returns the message that goes to the client.
func (c Code) String() string {
	switch c {
	case CodeTransportUnknown:
		return "Transport unknown"
	case CodeSessionUnknown:
		return "Session ID unknown"
	case CodeBadHandshakeMethod:
		return "Bad handshake method"
	case CodeBadRequest:
		return "Bad request"
	case CodeForbidden:
		return "Forbidden"
	case CodeUnsupportedProtocol:
		return "Unsupported protocol version"
	case CodeServerFull:
		return "Server full"
	default:
		return fmt.Sprintf("code %d", int(c))
	}
}

// ConnectionError is a refused request.
type ConnectionError struct {
	Code    Code
	Message string // the code's
	// Context has details, such as "sid", "transport", "method", "name"; for
	// CodeForbidden the "message" that the client gets.
	Context map[string]any
	Request *http.Request // valid until OnConnectionError returns
}

// refusal says why a request is refused; nil is none.
type refusal struct {
	code    Code
	context details
}

type details = map[string]any

func refuse(code Code, context details) *refusal { return &refusal{code, context} }

// request is an HTTP request as the protocol sees it.
type request struct {
	*http.Request
	query
	upgrade bool // asks for a WebSocket
	way     Transport
}

// verify judges a request, in the order of the reference implementation. The
// session is nil if this is a handshake.
func (s *Server) verify(r *request) (*Session, *refusal) {
	way, ok := s.transport(r.transport)
	if !ok {
		if r.transport == "" {
			return nil, refuse(CodeTransportUnknown, details{})
		}
		return nil, refuse(CodeTransportUnknown, details{"transport": r.transport})
	}
	r.way = way
	if origin := r.Header.Get("Origin"); !validHeaderText(origin) {
		return nil, refuse(CodeBadRequest, details{"name": "INVALID_ORIGIN", "origin": origin})
	}
	if r.hasSID {
		return s.verifySession(r)
	}
	return nil, s.verifyHandshake(r)
}

func (s *Server) transport(name string) (Transport, bool) {
	for _, t := range s.o.Transports {
		if t.String() == name {
			return t, true
		}
	}
	return 0, false
}

func (s *Server) verifySession(r *request) (*Session, *refusal) {
	id, ok := parseID(r.sid)
	if !ok {
		return nil, refuse(CodeSessionUnknown, details{"sid": r.sid})
	}
	sess := s.index.find(id)
	if sess == nil || sess.isClosed() {
		return nil, refuse(CodeSessionUnknown, details{"sid": r.sid})
	}
	if now := sess.Transport(); !r.upgrade && now != r.way {
		return nil, refuse(CodeBadRequest, details{
			"name":      "TRANSPORT_MISMATCH",
			"transport": r.transport, "previousTransport": now.String(),
		})
	}
	if r.protocol != sess.protocol {
		return nil, refuse(CodeBadRequest, details{"name": "PROTOCOL_MISMATCH", "protocol": int(r.protocol)})
	}
	return sess, nil
}

func (s *Server) verifyHandshake(r *request) *refusal {
	if r.Method != http.MethodGet {
		return refuse(CodeBadHandshakeMethod, details{"method": r.Method})
	}
	if r.way == WebSocket && !r.upgrade {
		return refuse(CodeBadRequest, details{"name": "TRANSPORT_HANDSHAKE_ERROR"})
	}
	if err := checkOrigin(s.o.Origins, r.Request, &r.query); err != nil {
		return refuse(CodeForbidden, details{"message": err.Error()})
	}
	if s.o.AllowRequest != nil {
		if err := s.o.AllowRequest(r.Request); err != nil {
			return refuse(CodeForbidden, details{"message": err.Error()})
		}
	}
	if r.protocol != 4 && !s.o.AllowEIO3 {
		return refuse(CodeUnsupportedProtocol, details{"protocol": int(r.protocol)})
	}
	return nil
}

// reject answers a refused request: as JSON, or for a WebSocket as plain text.
func (s *Server) reject(w http.ResponseWriter, r *request, ref *refusal) {
	if f := s.o.OnConnectionError; f != nil {
		f(ConnectionError{Code: ref.code, Message: ref.code.String(), Context: ref.context, Request: r.Request})
	}
	h, status := w.Header(), http.StatusBadRequest
	if ref.code == CodeServerFull {
		status = http.StatusServiceUnavailable
		h.Set("Retry-After", strconv.Itoa(retryAfter))
	}
	message := ref.message()
	if r.upgrade {
		h.Set("Connection", "close")
		h.Set("Content-Type", "text/html")
		writeBody(w, status, []byte(message))
		return
	}
	if ref.code == CodeForbidden {
		status = http.StatusForbidden
	}
	h.Set("Content-Type", "application/json")
	body, _ := json.Marshal(struct { // a struct of a number and a string
		Code    Code   `json:"code"`
		Message string `json:"message"`
	}{ref.code, message})
	writeBody(w, status, body)
}

// retryAfter is when a client that was turned away may come back, seconds.
const retryAfter = 5

func (r *refusal) message() string {
	if m, ok := r.context["message"].(string); ok && m != "" {
		return m
	}
	return r.code.String()
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client may be gone; there is nobody to tell
}

// AsksWebSocket reports whether r wants to become a WebSocket. Other upgrades are
// offers that may be ignored.
func AsksWebSocket(r *http.Request) bool {
	return hasToken(r.Header["Connection"], "upgrade") && hasToken(r.Header["Upgrade"], "websocket")
}

func hasToken(values []string, token string) bool {
	return slices.ContainsFunc(values, func(v string) bool {
		for t := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(t), token) {
				return true
			}
		}
		return false
	})
}
