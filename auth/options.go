package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Options of an Authenticator. Tokens are verified with Keys and JWKS, or by Hook.
type Options struct {
	// Keys verify tokens.
	Keys []Key
	// JWKS fetches more keys. nil: there are none.
	JWKS *JWKS
	// Issuer that tokens must be from ("iss"). Empty: any.
	Issuer string
	// Audience, one of which tokens must be for ("aud"). Empty: any.
	Audience []string
	// Leeway is how far clocks may be apart. Default 30 s; negative: not at all.
	Leeway time.Duration
	// GrantsClaim names the claim with the Rules of a token. Default "belfry".
	GrantsClaim string
	// Grants are for tokens without that claim.
	Grants Rules
	// Hook asks the team's own service in place of verifying tokens here. nil: it
	// does not.
	Hook *Hook
	// APIKeys are for backends.
	APIKeys []APIKey
	// Logger gets what an operator should see. Default slog.Default().
	Logger *slog.Logger
}

// JWKS is a key set (RFC 7517) that is fetched.
type JWKS struct {
	// URL, https:// or, on this machine, http://.
	URL string
	// CA is PEM with the authorities to trust. Empty: those of the system.
	CA string
	// Interval between fetches. Default 15 minutes.
	Interval time.Duration
	// Pause is the least time between fetches that unknown keys cause, and after
	// one that failed. Default 30 s.
	Pause time.Duration
	// MaxAge is how long keys are used that cannot be fetched again. Default 24 h.
	MaxAge time.Duration
	// Timeout of a fetch. Default 10 s.
	Timeout time.Duration
}

// Hook is the team's own service that knows its clients. It gets a POST with a
// HookRequest, and answers 200 with a HookAnswer, or 401 or 403.
type Hook struct {
	// URL, https:// or, on this machine, http://.
	URL string
	// CA is PEM with the authorities to trust. Empty: those of the system.
	CA string
	// Headers of the request, such as Authorization.
	Headers map[string]string
	// Forward names headers of the client that the service gets, such as Cookie.
	Forward []string
	// Timeout of a request. Default 5 s.
	Timeout time.Duration
	// Cache is how long an answer is used again at the most, if the service allows
	// so; see HookAnswer. Default 1 minute; negative: not at all.
	Cache time.Duration
	// MaxConcurrent bounds the requests that are under way; others wait. Default 64.
	MaxConcurrent int
}

// maxToken bounds a token, bytes.
const maxToken = 16 << 10

// KnowsClients reports whether there is a way to tell who a client is.
func (o Options) KnowsClients() bool { return o.hasTokens() || o.Hook != nil }

func (o Options) hasTokens() bool { return len(o.Keys) > 0 || o.JWKS != nil }

func (o Options) withDefaults() Options {
	setTime(&o.Leeway, 30*time.Second)
	o.Leeway = max(o.Leeway, 0)
	if o.GrantsClaim == "" {
		o.GrantsClaim = "belfry"
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.JWKS != nil {
		j := *o.JWKS
		setTime(&j.Interval, 15*time.Minute)
		setTime(&j.Pause, 30*time.Second)
		setTime(&j.MaxAge, 24*time.Hour)
		setTime(&j.Timeout, 10*time.Second)
		o.JWKS = &j
	}
	if o.Hook != nil {
		h := *o.Hook
		setTime(&h.Timeout, 5*time.Second)
		setTime(&h.Cache, time.Minute)
		if h.MaxConcurrent == 0 {
			h.MaxConcurrent = 64
		}
		o.Hook = &h
	}
	return o
}

func setTime(p *time.Duration, v time.Duration) {
	if *p == 0 {
		*p = v
	}
}

// faults collects what is wrong, as "auth: Options.FIELD is VALUE: must RULE" or
// with another text behind the field. No value of a secret is in it.
type faults []error

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, fmt.Errorf("auth: Options.%s %s", field, fmt.Sprintf(format, args...)))
}

// Validate names the options that cannot work, all of them.
func (o Options) Validate() error {
	var f faults
	for i, k := range o.Keys {
		if _, err := k.parse(); err != nil {
			f.add(fmt.Sprintf("Keys[%d]", i), "%v", err)
		}
		if k.ID != "" && slices.ContainsFunc(o.Keys[:i], func(other Key) bool { return other.ID == k.ID && other.Algorithm == k.Algorithm }) {
			f.add(fmt.Sprintf("Keys[%d].ID", i), "is %q: another key has it", k.ID)
		}
	}
	if err := o.Grants.Validate(); err != nil {
		f.add("Grants", "is wrong: %v", strings.TrimPrefix(err.Error(), "grants: "))
	}
	if o.JWKS != nil {
		f.jwks(*o.JWKS)
	}
	if o.Hook != nil {
		f.hook(*o.Hook)
	}
	if o.Hook != nil && o.hasTokens() {
		f.add("Hook", "is given together with keys for tokens: must be the one or the other")
	}
	f.apiKeys(o.APIKeys)
	return errors.Join(f...)
}

func (f *faults) jwks(j JWKS) {
	f.url("JWKS.URL", j.URL)
	f.ca("JWKS.CA", j.CA)
	for _, d := range []struct {
		name string
		v    time.Duration
	}{{"Interval", j.Interval}, {"Pause", j.Pause}, {"MaxAge", j.MaxAge}, {"Timeout", j.Timeout}} {
		if d.v < 0 {
			f.add("JWKS."+d.name, "is %v: must be positive, or 0 for the default", d.v)
		}
	}
}

func (f *faults) hook(h Hook) {
	f.url("Hook.URL", h.URL)
	f.ca("Hook.CA", h.CA)
	if h.Timeout < 0 {
		f.add("Hook.Timeout", "is %v: must be positive, or 0 for the default", h.Timeout)
	}
	if h.MaxConcurrent < 0 {
		f.add("Hook.MaxConcurrent", "is %d: must be positive, or 0 for the default", h.MaxConcurrent)
	}
	for name, value := range h.Headers {
		if !validHeader(name, value) {
			f.add("Hook.Headers", "is wrong: %q is not the name of a header, or its value cannot be one", name)
		}
	}
	for _, name := range h.Forward {
		if !validHeader(name, "") {
			f.add("Hook.Forward", "is wrong: %q is not the name of a header", name)
		}
	}
}

// url refuses what would send tokens or fetch keys in the clear.
func (f *faults) url(field, text string) {
	u, err := url.Parse(text)
	switch {
	case text == "":
		f.add(field, "is missing: must be like https://accounts.example.com/keys")
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		f.add(field, "is no URL: must be like https://accounts.example.com/keys")
	case u.Scheme == "http" && !isLocal(u.Hostname()):
		f.add(field, "is http://%s: must be https://, except on this machine", u.Host)
	}
}

func isLocal(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

func (f *faults) ca(field, text string) {
	if _, err := poolOf(text); err != nil {
		f.add(field, "%v", err)
	}
}

// validHeader checks as net/http does before it sends.
func validHeader(name, value string) bool {
	isToken := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
	}
	bad := strings.ContainsFunc(name, func(r rune) bool { return !isToken(r) })
	return name != "" && !bad && !strings.ContainsAny(value, "\r\n\x00")
}

// hostOf is for errors and the log: a URL may hold a password or a key.
func hostOf(text string) string {
	if u, err := url.Parse(text); err == nil {
		return u.Host
	}
	return "?"
}
