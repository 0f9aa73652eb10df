package engineio

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry/poll"
)

// Options configures a Server. The zero value is the reference
// implementation's default configuration.
type Options struct {
	// PingInterval is the time between two pings. Default 25 s.
	PingInterval time.Duration
	// PingTimeout is how long the answer to a ping may take. Default 20 s.
	PingTimeout time.Duration
	// UpgradeTimeout bounds an upgrade, from the WebSocket's opening. Default
	// 10 s.
	UpgradeTimeout time.Duration
	// ReadTimeout bounds the reading of a POST's body. Default 30 s.
	ReadTimeout time.Duration
	// WriteTimeout bounds the writing of a polling answer. Default 30 s.
	WriteTimeout time.Duration
	// MaxPayload bounds a message and the body of a POST, bytes. Default
	// 1,000,000.
	MaxPayload int
	// MaxQueue bounds what waits for a GET, bytes. Default 1 MiB. One message
	// that is larger is accepted while nothing else waits. WebSockets: see
	// poll.Options.
	MaxQueue int
	// MaxSessions bounds the number of sessions; beyond it new ones get 503
	// with Retry-After. 0: the descriptor limit of the process less a reserve.
	// Negative: no bound.
	MaxSessions int
	// Transports that clients may use. Nil: all.
	Transports []Transport
	// NoUpgrades does not offer the upgrade to WebSocket.
	NoUpgrades bool
	// AllowEIO3 serves clients of protocol 3, too (Socket.IO 2).
	AllowEIO3 bool
	// HTTPCompression is the size from which polling answers are compressed,
	// bytes. Default 1024. Negative: off.
	HTTPCompression int
	// CORS answers browsers on pages of other origins. Nil: no CORS headers.
	CORS *CORS
	// Cookie is set with the session id on a polling handshake, for load
	// balancers that need it. Nil: none.
	Cookie *Cookie
	// Origins are the pages that may begin a session, as patterns: "*",
	// "https://example.com", "https://*.example.com", "http://localhost:*". The
	// page's own host is always allowed, and so is a request without an Origin
	// header, which no browser makes across sites. Others are refused as by
	// AllowRequest. Nil: any origin, as the reference implementation does:
	// browsers do not enforce CORS for WebSockets, so that any page can then
	// open a session with its visitors' cookies.
	Origins []string
	// AllowRequest may refuse a new session: status 403 with the error's text
	// (400 for a WebSocket). It may block.
	AllowRequest func(*http.Request) error
	// Headers may add headers to a successful answer, 101 included. initial: the
	// answer to a handshake.
	Headers func(h http.Header, r *http.Request, initial bool)
	// KeepHeaders names the request headers that Handshake keeps: each costs
	// its bytes for as long as the session lives. Nil: all. Empty: none.
	KeepHeaders []string
	// Poller carries the WebSockets. Nil: a poll.Group of its own, closed with
	// the server.
	Poller poll.Poller
	// OnConnectionError is told of refused requests. It must not block.
	OnConnectionError func(ConnectionError)
	// Logger gets what an operator should see. Nil: slog.Default.
	Logger *slog.Logger
}

// CORS says which pages of other origins a browser lets talk to the server. The
// server itself refuses nobody for it: see Options.Origins.
type CORS struct {
	// Origin is sent to everyone; "*" is any page (then no Credentials).
	Origin string
	// Origins, used if Origin is empty, are patterns as in Options.Origins; the
	// page's origin is sent back if one fits.
	Origins []string
	// Methods of the preflight answer. Nil: GET, HEAD, PUT, PATCH, POST, DELETE.
	Methods []string
	// AllowedHeaders of the preflight answer. Nil: those it asks for.
	AllowedHeaders []string
	// ExposedHeaders are the response headers that a page may read.
	ExposedHeaders []string
	// Credentials allows cookies and client certificates.
	Credentials bool
	// MaxAge is how long a preflight answer is valid, whole seconds. 0: not said.
	MaxAge time.Duration
}

// Cookie describes the sticky-session cookie. The zero value is io=<sid>;
// Path=/; HttpOnly; SameSite=Lax.
type Cookie struct {
	Name     string // default "io"
	Path     string // default "/"
	Domain   string
	MaxAge   time.Duration // 0: until the browser closes
	SameSite http.SameSite // 0: Lax
	Secure   bool
	// Script lets scripts of the page read the cookie: no HttpOnly.
	Script bool
}

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
	// closing. Status 503.
	CodeServerFull Code = 6
)

// ConnectionError is a refused request.
type ConnectionError struct {
	Code    Code
	Message string
	// Context has details, such as "sid", "transport", "method", "name".
	Context map[string]any
	Request *http.Request // valid until OnConnectionError returns
}
