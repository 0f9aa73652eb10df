package auth_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-09a96375/belfry/auth"
)

func TestBackends(t *testing.T) {
	orders, reports := strings.Repeat("o", 32), strings.Repeat("r", 40)
	sum := sha256.Sum256([]byte(reports))
	s := signerOf(t, auth.HS256, "")
	a := newAuth(t, auth.Options{
		Keys: []auth.Key{s.verify(t)},
		APIKeys: []auth.APIKey{
			{Name: "orders", Key: orders},
			{Name: "reports", Hash: "sha256:" + hex.EncodeToString(sum[:]), Grants: auth.Rules{History: []string{"orders:*"}}},
		},
	})
	id, err := a.Backend(t.Context(), orders)
	if err != nil || id.User != "orders" || !id.Grants.API() || !id.Grants.May(auth.Publish, "any") || !id.Expires.IsZero() {
		t.Errorf("a key: %+v %v", id, err)
	}
	id, err = a.Backend(t.Context(), reports)
	if err != nil || id.User != "reports" || id.Grants.API() || id.Grants.May(auth.Publish, "orders:1") || !id.Grants.May(auth.History, "orders:1") {
		t.Errorf("a key by its hash: %+v %v", id, err)
	}
	id, err = a.Backend(t.Context(), s.token(t, jwt.MapClaims{"belfry": map[string]any{"api": true}}))
	if err != nil || id.User != "ada" {
		t.Errorf("a token with api: %+v %v", id, err)
	}
	for _, test := range []struct {
		key  string
		want auth.Code
	}{
		{"", auth.Missing},
		{orders[:31], auth.Invalid},
		{orders + "o", auth.Invalid},
		{hex.EncodeToString(sum[:]), auth.Invalid},
		{"a.b.c", auth.Invalid},
		{s.token(t, jwt.MapClaims{"belfry": map[string]any{"publish": []string{"*"}}}), auth.Forbidden},
		{s.token(t, jwt.MapClaims{"exp": 1}), auth.Expired},
	} {
		if id, err := a.Backend(t.Context(), test.key); id != nil || auth.CodeOf(err) != test.want {
			t.Errorf("%.20q: %+v %v, want %s", test.key, id, err, test.want)
		}
	}
	if _, err := newAuth(t, auth.Options{}).Client(t.Context(), auth.Credentials{Token: "x"}); auth.CodeOf(err) != auth.Invalid {
		t.Errorf("a token where none are accepted: %v", err)
	}
}

// TestWatchers: who may see metrics, and that this alone lets nobody into the API.
func TestWatchers(t *testing.T) {
	all, watch, other := strings.Repeat("a", 32), strings.Repeat("w", 32), strings.Repeat("o", 32)
	s := signerOf(t, auth.HS256, "")
	a := newAuth(t, auth.Options{
		Keys: []auth.Key{s.verify(t)},
		APIKeys: []auth.APIKey{
			{Name: "all", Key: all},
			{Name: "watch", Key: watch, Grants: auth.Rules{Metrics: true}},
			{Name: "other", Key: other, Grants: auth.Rules{Publish: []string{"*"}}},
		},
	})
	grants := func(name string) string { return s.token(t, jwt.MapClaims{"belfry": map[string]any{name: true}}) }
	for _, test := range []struct {
		name, key        string
		watcher, backend auth.Code
	}{
		{"a key without grants", all, "", ""},
		{"a key for metrics", watch, "", auth.Forbidden},
		{"a key for something else", other, auth.Forbidden, ""},
		{"a token for metrics", grants("metrics"), "", auth.Forbidden},
		{"a token for the API", grants("api"), "", ""},
		{"a token for rooms", s.token(t, jwt.MapClaims{"belfry": map[string]any{"join": []string{"*"}}}), auth.Forbidden, auth.Forbidden},
		{"no key", "", auth.Missing, auth.Missing},
		{"an unknown key", strings.Repeat("u", 32), auth.Invalid, auth.Invalid},
	} {
		_, watcher := a.Watcher(t.Context(), test.key)
		_, backend := a.Backend(t.Context(), test.key)
		if code(watcher) != test.watcher || code(backend) != test.backend {
			t.Errorf("%s: as a watcher %v, want %q; as a backend %v, want %q", test.name, watcher, test.watcher, backend, test.backend)
		}
	}
}

// code is that of an error, empty for none.
func code(err error) auth.Code {
	if err == nil {
		return ""
	}
	return auth.CodeOf(err)
}

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer x": "x", "bearer  x ": "x", "Basic x": "", "": "", "Bearer": "", "Bearer x y": "x y", "Bearerx": "",
	} {
		if got := auth.Bearer(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
