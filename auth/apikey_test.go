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

func TestBearer(t *testing.T) {
	for header, want := range map[string]string{
		"Bearer x": "x", "bearer  x ": "x", "Basic x": "", "": "", "Bearer": "", "Bearer x y": "x y", "Bearerx": "",
	} {
		if got := auth.Bearer(header); got != want {
			t.Errorf("%q: %q, want %q", header, got, want)
		}
	}
}
