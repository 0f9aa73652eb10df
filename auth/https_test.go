package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/auth"
)

var quiet = slog.New(slog.DiscardHandler)

// authority is the certificate that a server of httptest shows, as PEM.
func authority(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}

// newHTTPS starts a server with a certificate of its own.
func newHTTPS(t *testing.T, h http.Handler) *httptest.Server {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// keyServer serves a key set over HTTPS.
type keyServer struct {
	*httptest.Server
	mu      sync.Mutex
	keys    []map[string]any
	status  int
	fetches atomic.Int32
}

func newKeyServer(t *testing.T, keys ...map[string]any) *keyServer {
	k := &keyServer{keys: keys, status: http.StatusOK}
	k.Server = newHTTPS(t, k)
	return k
}

func (k *keyServer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	k.fetches.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.status == http.StatusFound {
		w.Header().Set("Location", "https://elsewhere.invalid/")
	}
	w.WriteHeader(k.status)
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": k.keys})
}

func (k *keyServer) set(status int, keys ...map[string]any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.status, k.keys = status, keys
}

func (k *keyServer) options() auth.Options {
	return auth.Options{JWKS: &auth.JWKS{URL: k.URL, CA: authority(k.Server), Pause: time.Millisecond}, Logger: quiet}
}

func TestKeysByURL(t *testing.T) {
	es, rs, ed := signerOf(t, auth.ES256, "es"), signerOf(t, auth.RS256, "rs"), signerOf(t, auth.EdDSA, "ed")
	k := newKeyServer(t, es.jwk(t), rs.jwk(t), map[string]any{"kty": "oct", "kid": "hs", "k": "c2VjcmV0"})
	a := newAuth(t, k.options())
	for _, s := range []signer{es, rs} {
		if _, err := a.Client(t.Context(), auth.Credentials{Token: s.token(t, nil)}); err != nil {
			t.Errorf("%s: %v", s.id, err)
		}
	}
	k.set(http.StatusOK, ed.jwk(t)) // rotation
	waitFor(t, "the new key", func() bool {
		_, err := a.Client(t.Context(), auth.Credentials{Token: ed.token(t, nil)})
		return err == nil
	})
	if _, err := a.Client(t.Context(), auth.Credentials{Token: es.token(t, nil)}); auth.CodeOf(err) != auth.Invalid {
		t.Errorf("the old key: %v", err)
	}
	hs := signerOf(t, auth.HS256, "hs")
	if _, err := a.Client(t.Context(), auth.Credentials{Token: hs.token(t, nil)}); auth.CodeOf(err) != auth.Invalid {
		t.Errorf("a secret that was fetched: %v", err)
	}
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within 30 s", what)
		}
	}
}

func TestKeysThatCannotBeFetched(t *testing.T) {
	s := signerOf(t, auth.EdDSA, "ed")
	for name, change := range map[string]func(k *keyServer, o *auth.Options){
		"unknown authority": func(_ *keyServer, o *auth.Options) { o.JWKS.CA = "" },
		"status":            func(k *keyServer, _ *auth.Options) { k.set(http.StatusInternalServerError, s.jwk(t)) },
		"redirect":          func(k *keyServer, _ *auth.Options) { k.set(http.StatusFound, s.jwk(t)) },
		"no keys":           func(k *keyServer, _ *auth.Options) { k.set(http.StatusOK) },
		"too large": func(k *keyServer, _ *auth.Options) {
			k.set(http.StatusOK, s.jwk(t), map[string]any{"x": strings.Repeat("x", 1<<20)})
		},
	} {
		k := newKeyServer(t, s.jwk(t))
		o := k.options()
		change(k, &o)
		_, err := newAuth(t, o).Client(t.Context(), auth.Credentials{Token: s.token(t, nil)})
		if auth.CodeOf(err) != auth.Unavailable || strings.Contains(err.Error(), k.URL) {
			t.Errorf("%s: %v (%s)", name, err, auth.CodeOf(err))
		}
	}
}

// service is a team's own service.
type service struct {
	*httptest.Server
	asked  atomic.Int32
	answer atomic.Pointer[func(auth.HookRequest) (int, any)]
}

const password = "Basic s3cret"

func newService(t *testing.T) *service {
	s := &service{}
	s.Server = newHTTPS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		var q auth.HookRequest
		body, err := io.ReadAll(r.Body)
		if err != nil || json.Unmarshal(body, &q) != nil || r.Method != http.MethodPost || r.Header.Get("Authorization") != password {
			t.Errorf("%s with %q, headers %v: %v", r.Method, body, r.Header, err)
		}
		status, answer := (*s.answer.Load())(q)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(answer)
	}))
	return s
}

func (s *service) set(f func(auth.HookRequest) (int, any)) { s.answer.Store(&f) }

func (s *service) options() auth.Options {
	return auth.Options{Hook: &auth.Hook{
		URL: s.URL + "/s3cret", CA: authority(s.Server), Headers: map[string]string{"Authorization": password}, Forward: []string{"Cookie"},
	}}
}

func TestHook(t *testing.T) {
	s := newService(t)
	a := newAuth(t, s.options())
	expires := time.Now().Add(time.Hour).Unix()
	s.set(func(q auth.HookRequest) (int, any) {
		if q.Token != "t" || q.Address != "10.0.0.3:1" || len(q.Headers) != 1 || q.Headers["Cookie"] != "session=1" {
			t.Errorf("asked with %+v", q)
		}
		return 200, map[string]any{"user": "ada", "grants": auth.Rules{Join: []string{"inbox:{sub}"}}, "expires": expires, "cache": 60}
	})
	c := auth.Credentials{Token: "t", Address: "10.0.0.3:1", Header: func(name string) string {
		return map[string]string{"Cookie": "session=1"}[name]
	}}
	for range 3 {
		id, err := a.Client(t.Context(), c)
		if err != nil || id.User != "ada" || !id.Grants.May(auth.Join, "inbox:ada") || id.Expires.Unix() != expires {
			t.Fatalf("%+v %v", id, err)
		}
	}
	if n := s.asked.Load(); n != 1 {
		t.Errorf("the service was asked %d times for the same token, want 1", n)
	}
	c.Header = nil
	s.set(func(auth.HookRequest) (int, any) { return 403, nil })
	if _, err := a.Client(t.Context(), c); auth.CodeOf(err) != auth.Forbidden {
		t.Errorf("other headers: %v", err)
	}
}

func TestHookAnswersThatRefuse(t *testing.T) {
	s := newService(t)
	a := newAuth(t, s.options())
	past := time.Now().Add(-time.Second).Unix()
	for i, test := range []struct {
		status int
		answer any
		want   auth.Code
	}{
		{401, nil, auth.Invalid},
		{403, nil, auth.Forbidden},
		{500, nil, auth.Unavailable},
		{302, nil, auth.Unavailable},
		{204, nil, auth.Unavailable},
		{200, map[string]any{"user": "ada", "expires": past}, auth.Expired},
		{200, map[string]any{"user": "ada", "expires": -1}, auth.Unavailable},
		{200, map[string]any{"user": "ada", "grant": nil}, auth.Unavailable},
		{200, map[string]any{"user": "ada", "grants": auth.Rules{Join: []string{"{"}}}, auth.Unavailable},
		{200, map[string]any{"user": strings.Repeat("x", 257)}, auth.Unavailable},
		{200, map[string]any{"user": strings.Repeat("x", 1<<17)}, auth.Unavailable},
		{200, "yes", auth.Unavailable},
	} {
		s.set(func(auth.HookRequest) (int, any) { return test.status, test.answer })
		id, err := a.Client(t.Context(), auth.Credentials{Token: "t"})
		if id != nil || auth.CodeOf(err) != test.want || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%d: %+v %v (%s), want %s", i, id, err, auth.CodeOf(err), test.want)
		}
		if e := new(auth.Error); !errors.As(err, &e) || e.Err != nil && strings.Contains(e.Err.Error(), "s3cret") {
			t.Errorf("%d: the cause tells a secret: %v", i, e.Err)
		}
	}
	s.Close()
	if _, err := a.Client(t.Context(), auth.Credentials{Token: "t"}); auth.CodeOf(err) != auth.Unavailable {
		t.Errorf("nobody answers: %v", err)
	}
}

func TestHookIsNotOverrun(t *testing.T) {
	s := newService(t)
	o := s.options()
	o.Hook.MaxConcurrent, o.Hook.Timeout = 2, time.Minute
	a := newAuth(t, o)
	var now, most atomic.Int32
	let := make(chan struct{})
	s.set(func(auth.HookRequest) (int, any) {
		for n := now.Add(1); ; {
			if old := most.Load(); n <= old || most.CompareAndSwap(old, n) {
				break
			}
		}
		defer now.Add(-1)
		<-let
		return 200, map[string]any{"user": "ada"}
	})
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			if _, err := a.Client(t.Context(), auth.Credentials{Token: "t"}); err != nil {
				t.Error(err)
			}
		})
	}
	waitFor(t, "two requests", func() bool { return now.Load() == 2 })
	close(let)
	all.Wait()
	if n := most.Load(); n != 2 {
		t.Errorf("%d requests at once, want 2", n)
	}
	if n := s.asked.Load(); n != 10 {
		t.Errorf("%d requests: answers without a cache time are not used again", n)
	}
}
