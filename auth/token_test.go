package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-09a96375/belfry/auth"
)

var all = []auth.Algorithm{auth.HS256, auth.RS256, auth.ES256, auth.EdDSA}

func TestTokensOfAllAlgorithms(t *testing.T) {
	for _, alg := range all {
		for _, id := range []string{"", "key-1"} {
			s := signerOf(t, alg, id)
			a := newAuth(t, auth.Options{Keys: []auth.Key{s.verify(t)}})
			exp := time.Now().Add(time.Hour).Truncate(time.Second)
			got, err := a.Client(t.Context(), auth.Credentials{Token: s.token(t, jwt.MapClaims{
				"exp": exp.Unix(), "belfry": map[string]any{"join": []string{"inbox:{sub}"}},
			})})
			if err != nil {
				t.Errorf("%s: %v", alg, err)
				continue
			}
			if got.User != "ada" || !got.Grants.May(auth.Join, "inbox:ada") || got.Grants.May(auth.Publish, "inbox:ada") {
				t.Errorf("%s: %+v", alg, got)
			}
			if want := exp.Add(30 * time.Second); !got.Expires.Equal(want) {
				t.Errorf("%s: expires %v, want %v: exp and the leeway", alg, got.Expires, want)
			}
		}
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	s := signerOf(t, auth.ES256, "key-1")
	a := newAuth(t, auth.Options{Keys: []auth.Key{s.verify(t)}, Issuer: "https://accounts.example.com", Audience: []string{"chat", "news"}})
	good := jwt.MapClaims{"iss": "https://accounts.example.com", "aud": "news"}
	with := func(k string, v any) string {
		c := jwt.MapClaims{k: v}
		for k, v := range good {
			if _, set := c[k]; !set {
				c[k] = v
			}
		}
		return s.token(t, c)
	}
	if _, err := a.Client(t.Context(), auth.Credentials{Token: with("aud", []string{"other", "chat"})}); err != nil {
		t.Errorf("a good token: %v", err)
	}
	now := time.Now()
	parts := strings.Split(with("x", 1), ".")
	other := signerOf(t, auth.ES256, "key-1")
	for name, test := range map[string]struct {
		token string
		code  auth.Code
		text  string
	}{
		"none":              {"", auth.Missing, "a token is needed"},
		"not a token":       {"x", auth.Invalid, "not a JWT"},
		"too long":          {strings.Repeat("x", 16<<10+1), auth.Invalid, "too long"},
		"expired":           {with("exp", now.Add(-time.Minute).Unix()), auth.Expired, "has expired"},
		"without end":       {with("exp", nil), auth.Invalid, `"exp" is needed`},
		"an end of text":    {with("exp", "never"), auth.Invalid, "not a JWT"},
		"not yet":           {with("nbf", now.Add(time.Minute).Unix()), auth.Invalid, `"nbf"`},
		"issuer":            {with("iss", "eve"), auth.Invalid, `"iss"`},
		"no issuer":         {with("iss", nil), auth.Invalid, `"iss"`},
		"audience":          {with("aud", "other"), auth.Invalid, `"aud"`},
		"no audience":       {with("aud", nil), auth.Invalid, `"aud"`},
		"expired and wrong": {s.token(t, jwt.MapClaims{"exp": 1, "iss": "eve", "aud": "news"}), auth.Invalid, `"iss"`},
		"user":              {with("sub", strings.Repeat("x", 257)), auth.Invalid, `"sub"`},
		"grants":            {with("belfry", map[string]any{"jion": 1}), auth.Invalid, `"jion"`},
		"pattern":           {with("belfry", map[string]any{"join": []string{"{x}"}}), auth.Invalid, "braces"},
		"other signature":   {other.token(t, good), auth.Invalid, "signature"},
		"other content":     {parts[0] + "." + strings.Split(with("sub", "eve"), ".")[1] + "." + parts[2], auth.Invalid, "signature"},
		"no signature":      {parts[0] + "." + parts[1] + ".", auth.Invalid, "signature"},
		"unknown key":       {signerOf(t, auth.ES256, "key-2").token(t, good), auth.Invalid, `id "key-2"`},
		"critical":          {s.sign(t, good, map[string]any{"crit": []string{"b64"}}), auth.Invalid, "crit"},
	} {
		got, err := a.Client(t.Context(), auth.Credentials{Token: test.token})
		if got != nil || auth.CodeOf(err) != test.code || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s: %v %v (%s), want %s %q", name, got, err, auth.CodeOf(err), test.code, test.text)
		}
	}
}

// TestAlgorithmIsThatOfTheKey tries what has let forgers in elsewhere: no
// algorithm, and a public key taken for a secret.
func TestAlgorithmIsThatOfTheKey(t *testing.T) {
	for _, alg := range []auth.Algorithm{auth.RS256, auth.ES256, auth.EdDSA} {
		s := signerOf(t, alg, "key-1")
		a := newAuth(t, auth.Options{Keys: []auth.Key{s.verify(t)}})
		forged := []signer{
			{jwt.SigningMethodHS256, "key-1", []byte(s.pem(t))},
			{jwt.SigningMethodNone, "key-1", jwt.UnsafeAllowNoneSignatureType},
			{jwt.SigningMethodHS512, "", []byte(s.pem(t))},
		}
		for _, f := range forged {
			if got, err := a.Client(t.Context(), auth.Credentials{Token: f.token(t, nil)}); auth.CodeOf(err) != auth.Invalid {
				t.Errorf("%s: a token with %s is accepted: %+v %v", alg, f.method.Alg(), got, err)
			}
		}
	}
	rs := signerOf(t, auth.RS256, "key-1")
	a := newAuth(t, auth.Options{Keys: []auth.Key{rs.verify(t)}})
	ps := signer{jwt.SigningMethodPS256, "key-1", rs.key}
	if _, err := a.Client(t.Context(), auth.Credentials{Token: ps.token(t, nil)}); auth.CodeOf(err) != auth.Invalid {
		t.Errorf("PS256 with a key for RS256: %v", err)
	}
}

func TestKeysAreRotated(t *testing.T) {
	old, next := signerOf(t, auth.EdDSA, "old"), signerOf(t, auth.EdDSA, "new")
	a := newAuth(t, auth.Options{Keys: []auth.Key{old.verify(t), next.verify(t)}, Grants: auth.Rules{Join: []string{"news"}}})
	nameless := next
	nameless.id = ""
	for _, s := range []signer{old, next, nameless} {
		got, err := a.Client(t.Context(), auth.Credentials{Token: s.token(t, nil)})
		if err != nil || !got.Grants.May(auth.Join, "news") {
			t.Errorf("%q: %+v %v", s.id, got, err)
		}
	}
}

func TestOtherClaim(t *testing.T) {
	s := signerOf(t, auth.HS256, "")
	a := newAuth(t, auth.Options{Keys: []auth.Key{s.verify(t)}, GrantsClaim: "rooms", Grants: auth.Rules{Join: []string{"news"}}})
	got, err := a.Client(t.Context(), auth.Credentials{Token: s.token(t, jwt.MapClaims{"rooms": map[string]any{"publish": []string{"x"}}})})
	if err != nil || got.Grants.May(auth.Join, "news") || !got.Grants.May(auth.Publish, "x") {
		t.Errorf("%+v %v: the token's grants go before the standard ones", got, err)
	}
}

func FuzzToken(f *testing.F) {
	s := signer{jwt.SigningMethodHS256, "", []byte(secret)}
	a := newAuth(f, auth.Options{Keys: []auth.Key{{Secret: secret}}})
	f.Add(s.token(f, nil))
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add("..")
	known := s.token(f, nil)
	f.Fuzz(func(t *testing.T, token string) {
		id, err := a.Client(t.Context(), auth.Credentials{Token: token})
		if (id == nil) == (err == nil) {
			t.Fatalf("%q: %v %v", token, id, err)
		}
		if err == nil && !strings.HasSuffix(token, strings.Split(known, ".")[2]) && id.User != "ada" {
			t.Errorf("%q is accepted as %q", token, id.User)
		}
	})
}
