// Package auth says who a client is and what it may do. It knows tokens (JWT), the
// team's own service asked by HTTP, and the keys of backends; it knows no front.
//
//	token ─┬─ JWT    signature by a key that is configured or fetched (JWKS)
//	       └─ Hook   POST to the team's service
//	                 → Identity: user, Grants, Expires
//	key   ─── API keys of backends → Identity
package auth

import (
	"context"
	"errors"
	"time"
)

// Identity is who someone is, and what they may do until when. It is never
// changed once made.
type Identity struct {
	// User is the name of the user, or of the API key. Empty: nobody in particular.
	User string
	// Grants are what they may do.
	Grants Grants
	// Expires is when the session has to end, or to be refreshed with a new token.
	// Zero: never.
	Expires time.Time
}

// Credentials are what a client shows.
type Credentials struct {
	// Token is a JWT, or whatever the team's service understands.
	Token string
	// Address of the client, for the team's service.
	Address string
	// Header looks a header of the client's request up, for the team's service.
	// nil: there are none.
	Header func(name string) string
}

// Authenticator knows clients and backends. Safe for concurrent use.
type Authenticator struct {
	tokens *verifier // nil: no JWT
	hook   *hook     // nil: no hook
	keys   apiKeys
}

// New returns an Authenticator, to be closed. It does not wait for keys that are
// fetched; who comes before they are there waits for them.
func New(o Options) (*Authenticator, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	a := &Authenticator{}
	var errs [3]error
	a.keys, errs[0] = newAPIKeys(o.APIKeys)
	if o.Hook != nil {
		a.hook, errs[1] = newHook(*o.Hook)
	}
	if o.hasTokens() && errors.Join(errs[:]...) == nil {
		a.tokens, errs[2] = newVerifier(o)
	}
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return a, nil
}

// Close ends what New started. No method may be called after it.
func (a *Authenticator) Close() {
	if a.tokens != nil {
		a.tokens.close()
	}
	if a.hook != nil {
		a.hook.close()
	}
}

// Client says who a client is. The error is an *Error, fit for the client's eyes.
// It may ask others over the network, within their timeout and that of ctx.
func (a *Authenticator) Client(ctx context.Context, c Credentials) (*Identity, error) {
	if len(c.Token) > maxToken {
		return nil, &Error{Code: Invalid, Message: "the token is too long"}
	}
	switch {
	case a.hook != nil:
		return a.hook.identify(ctx, c)
	case c.Token == "":
		return nil, &Error{Code: Missing, Message: "a token is needed"}
	case a.tokens != nil:
		return a.tokens.identify(ctx, c.Token)
	}
	return nil, &Error{Code: Invalid, Message: "tokens are not accepted here"}
}

// Backend says which backend shows an API key, or a token whose grants have "api".
// The error is an *Error.
func (a *Authenticator) Backend(ctx context.Context, key string) (*Identity, error) {
	id, token, err := a.program(ctx, key)
	switch {
	case err != nil:
		return nil, err
	case token && !id.Grants.API():
		return nil, &Error{Code: Forbidden, Message: `the token's grants lack "api"`}
	case id.Grants.watchOnly():
		return nil, &Error{Code: Forbidden, Message: "the API key is for metrics alone"}
	}
	return id, nil
}

// Watcher says who shows an API key, or a token, whose grants have "metrics" or "api".
// The error is an *Error.
func (a *Authenticator) Watcher(ctx context.Context, key string) (*Identity, error) {
	id, _, err := a.program(ctx, key)
	if err == nil && !id.Grants.Metrics() {
		return nil, &Error{Code: Forbidden, Message: `the grants lack "metrics"`}
	}
	return id, err
}

// program says who shows an API key, or a token.
func (a *Authenticator) program(ctx context.Context, key string) (id *Identity, token bool, err error) {
	if key == "" {
		return nil, false, &Error{Code: Missing, Message: "an API key is needed"}
	}
	if id := a.keys.find(key); id != nil {
		return id, false, nil
	}
	if a.tokens == nil || !looksLikeToken(key) {
		return nil, false, &Error{Code: Invalid, Message: "the API key is not known"}
	}
	id, err = a.Client(ctx, Credentials{Token: key})
	return id, true, err
}
