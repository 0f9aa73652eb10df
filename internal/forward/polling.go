package forward

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"sync"
	"time"
)

// polling passes GETs and POSTs on.
type polling struct {
	transport *http.Transport
	log       *slog.Logger
	buffers   *buffers
}

// idleTime is short: nodes close connections that are idle, and a request that
// meets the end of its connection costs a session.
const idleTime = 4 * time.Second

func newPolling(log *slog.Logger) polling {
	return polling{
		transport: &http.Transport{
			DialContext:            dialer().DialContext,
			TLSHandshakeTimeout:    dialTimeout,
			MaxIdleConnsPerHost:    256,
			IdleConnTimeout:        idleTime,
			MaxResponseHeaderBytes: 64 << 10,
			DisableCompression:     true, // what the client accepts is its own matter
		},
		log:     log,
		buffers: &buffers{},
	}
}

func (p *polling) close() { p.transport.CloseIdleConnections() }

// serve returns an error if nothing was answered. An answer that breaks off ends
// the request as net/http has it, with a panic that net/http catches.
func (p *polling) serve(w http.ResponseWriter, r *http.Request, to *peer) (failure error) {
	proxy := httputil.ReverseProxy{
		Rewrite:   func(pr *httputil.ProxyRequest) { rewrite(pr, to) },
		Transport: once{p.transport},
		ModifyResponse: func(res *http.Response) error {
			takeOver(w.Header(), res.Header)
			return nil
		},
		ErrorHandler:  func(_ http.ResponseWriter, _ *http.Request, err error) { failure = err },
		FlushInterval: -1,
		BufferPool:    p.buffers,
		ErrorLog:      slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	proxy.ServeHTTP(w, r)
	return failure
}

// rewrite leaves the request as it came, but for the mark: the owner is to see
// what it would have seen.
func rewrite(pr *httputil.ProxyRequest, to *peer) {
	out := pr.Out
	query := pr.In.URL.RawQuery
	u := to.url
	out.URL = &u
	out.URL.RawQuery = query
	for _, name := range []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if v, ok := pr.In.Header[name]; ok {
			out.Header[name] = v
		}
	}
	to.mark(out.Header, pr.In.RemoteAddr)
}

// takeOver clears what the owner's answer has, such as headers for CORS, which
// this node has set already.
func takeOver(own, owners http.Header) {
	for name := range owners {
		own.Del(name)
	}
}

// once keeps http.Transport from repeating a request whose connection broke. The
// answer that was lost may have had messages in it: the client has to notice.
type once struct{ transport http.RoundTripper }

func (o once) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r = r.WithContext(r.Context())
		r.Body = empty{} // a request with a body is not repeated
	}
	return o.transport.RoundTrip(r)
}

// empty is a body of which http.Transport finds out that it is empty: it sends
// none.
type empty struct{}

func (empty) Read([]byte) (int, error) { return http.NoBody.Read(nil) }
func (empty) Close() error             { return nil }

// buffers implements httputil.BufferPool.
type buffers struct{ pool sync.Pool }

func (b *buffers) Get() []byte {
	if p, ok := b.pool.Get().(*[]byte); ok {
		return *p
	}
	return make([]byte, 16<<10)
}

func (b *buffers) Put(p []byte) { b.pool.Put(&p) }
