package forward

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
)

// markHeader has the owner's secret, a space and the address of the client.
const markHeader = "Belfry-Forwarded"

// forwarded marks the context of a request that came with a mark.
type forwarded struct{}

func isForwarded(r *http.Request) bool { return r.Context().Value(forwarded{}) != nil }

func newSecret() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return hex.EncodeToString(b[:])
}

// mark says in h that the request of a client at addr is passed on to p.
func (p *peer) mark(h http.Header, addr string) { h.Set(markHeader, p.secret+" "+addr) }

// Receive takes the mark off a request that may have come from another node. It
// has to see every request first. A mark with a wrong secret, which anybody can
// send, only makes that the request is not passed on.
func (f *Forwarder) Receive(r *http.Request) *http.Request {
	marks := r.Header[markHeader]
	if len(marks) == 0 {
		return r
	}
	r = r.Clone(context.WithValue(r.Context(), forwarded{}, true))
	r.Header.Del(markHeader)
	secret, addr, ok := strings.Cut(marks[0], " ")
	if ok && len(marks) == 1 && subtle.ConstantTimeCompare([]byte(secret), []byte(f.secret)) == 1 {
		r.RemoteAddr = addr
	}
	return r
}
