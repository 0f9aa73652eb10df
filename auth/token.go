package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// verifier verifies tokens (RFC 7519).
type verifier struct {
	parser *jwt.Parser
	keys   []verifyKey
	set    *keySet // nil: no more keys than those
	end    func()  // of what set uses
	claim  string
	grants Rules
	leeway time.Duration
}

func newVerifier(o Options) (*verifier, error) {
	v := &verifier{claim: o.GrantsClaim, grants: o.Grants, leeway: o.Leeway, parser: newParser(o)}
	for _, k := range o.Keys {
		parsed, err := k.parse()
		if err != nil {
			return nil, fmt.Errorf("key %q %w", k.ID, err)
		}
		v.keys = append(v.keys, parsed)
	}
	if o.JWKS == nil {
		return v, nil
	}
	fetch, end, err := o.JWKS.fetcher(func(err error) { o.Logger.Debug("key for tokens left out", "err", err) })
	if err != nil {
		return nil, err
	}
	v.end = end
	v.set = &keySet{fetch: fetch, interval: o.JWKS.Interval, pause: o.JWKS.Pause, maxAge: o.JWKS.MaxAge, log: o.Logger}
	v.set.start()
	return v, nil
}

func newParser(o Options) *jwt.Parser {
	methods := make([]string, len(algorithms))
	for i, a := range algorithms {
		methods[i] = string(a)
	}
	options := []jwt.ParserOption{
		jwt.WithValidMethods(methods), jwt.WithLeeway(o.Leeway), jwt.WithExpirationRequired(),
	}
	if o.Issuer != "" {
		options = append(options, jwt.WithIssuer(o.Issuer))
	}
	if len(o.Audience) > 0 {
		options = append(options, jwt.WithAudience(o.Audience...))
	}
	return jwt.NewParser(options...)
}

func (v *verifier) close() {
	if v.set != nil {
		v.set.stop()
		v.end()
	}
}

// claims are what is read of a token, and the rest as it is.
type claims struct {
	jwt.RegisteredClaims
	all map[string]json.RawMessage
}

// UnmarshalJSON keeps all claims.
func (c *claims) UnmarshalJSON(text []byte) error {
	if err := json.Unmarshal(text, &c.all); err != nil {
		return err
	}
	return json.Unmarshal(text, &c.RegisteredClaims)
}

// looksLikeToken tells a JWT from an API key.
func looksLikeToken(text string) bool { return strings.Count(text, ".") == 2 }

func (v *verifier) identify(ctx context.Context, text string) (*Identity, error) {
	var c claims
	_, err := v.parser.ParseWithClaims(text, &c, func(t *jwt.Token) (any, error) { return v.keysFor(ctx, t) })
	if err != nil {
		return nil, tokenError(err)
	}
	return v.identity(&c)
}

// keysFor returns the keys that a token may be signed with. A key is only for its
// own algorithm, whatever the token says.
func (v *verifier) keysFor(ctx context.Context, t *jwt.Token) (any, error) {
	if _, critical := t.Header["crit"]; critical {
		return nil, &Error{Code: Invalid, Message: `the token has critical extensions ("crit"), which are not known here`}
	}
	id, _ := t.Header["kid"].(string)
	alg := Algorithm(t.Method.Alg())
	keys := fitting(v.keys, id, alg)
	if v.set != nil && len(keys) == 0 {
		var err error
		if keys, err = v.set.find(ctx, id, alg); err != nil {
			return nil, &Error{Code: Unavailable, Message: "the keys for tokens cannot be fetched now", Err: err}
		}
	}
	if len(keys) == 0 {
		return nil, &Error{Code: Invalid, Message: fmt.Sprintf("no key for tokens with algorithm %s has the id %q", alg, shown(id))}
	}
	set := jwt.VerificationKeySet{}
	for _, k := range keys {
		set.Keys = append(set.Keys, k.key)
	}
	return set, nil
}

// shown shortens what a client said.
func shown(text string) string {
	const most = 64
	if len(text) > most {
		return text[:most] + "…"
	}
	return text
}

func (v *verifier) identity(c *claims) (*Identity, error) {
	if !validUser(c.Subject) {
		return nil, &Error{Code: Invalid, Message: `the token's "sub" is longer than 256 bytes, or not UTF-8`}
	}
	rules := v.grants
	if raw, ok := c.all[v.claim]; ok {
		var err error
		if rules, err = ParseRules(raw); err != nil {
			return nil, &Error{Code: Invalid, Message: fmt.Sprintf("the token's %q: %v", v.claim, err)}
		}
	}
	grants, err := rules.For(c.Subject)
	if err != nil {
		return nil, &Error{Code: Invalid, Message: fmt.Sprintf("the token's %q: %v", v.claim, err)}
	}
	return &Identity{User: c.Subject, Grants: grants, Expires: c.ExpiresAt.Add(v.leeway)}, nil
}

// tokenError says what is wrong with a token. Of several faults it names the one
// that a fresh token would not mend.
func tokenError(err error) error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	for _, e := range []struct {
		is   error
		code Code
		text string
	}{
		{jwt.ErrTokenMalformed, Invalid, "the token is not a JWT"},
		{jwt.ErrTokenSignatureInvalid, Invalid, "the token's signature is wrong, or its algorithm is not allowed"},
		{jwt.ErrTokenRequiredClaimMissing, Invalid, `the token lacks a claim: "exp" is needed, and "iss" and "aud" where they are configured`},
		{jwt.ErrTokenInvalidIssuer, Invalid, `the token is from another issuer ("iss")`},
		{jwt.ErrTokenInvalidAudience, Invalid, `the token is for others ("aud")`},
		{jwt.ErrTokenNotValidYet, Invalid, `the token is not valid yet ("nbf")`},
		{jwt.ErrTokenExpired, Expired, "the token has expired"},
	} {
		if errors.Is(err, e.is) {
			return &Error{Code: e.code, Message: e.text, Err: err}
		}
	}
	return &Error{Code: Invalid, Message: "the token is not valid", Err: err}
}
