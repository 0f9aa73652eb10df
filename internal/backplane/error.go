package backplane

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Error tells why a bus cannot be used. It holds no password.
type Error struct {
	// Addr is the URL without user, password and what does not belong to the
	// address; empty if it is no URL.
	Addr    string
	Err     error
	invalid bool // the URL or what goes with it
}

// Unreachable tells why the Redis at a URL, which is one, does not answer.
func Unreachable(redis string, err error) *Error { return &Error{Addr: addrOf(redis), Err: err} }

// Error names the Redis.
func (e *Error) Error() string {
	switch {
	case e.invalid && e.Addr == "":
		return "what --redis names is not a URL of a Redis"
	case e.invalid:
		return fmt.Sprintf("%s cannot be used: %v", e.Addr, e.Err)
	}
	return fmt.Sprintf("no connection to %s: %s", e.Addr, bare(e.Err))
}

// bare is the text without what says again what and where.
func bare(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Err.Error()
	}
	_, text, found := strings.Cut(strings.TrimPrefix(err.Error(), "redis: "), ": ") // "connect", "ping"
	if !found {
		return err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to check.
func (e *Error) Hint() string {
	var files *filesError
	if errors.As(e.Err, &files) {
		return "check the files that --redis-ca, --redis-cert and --redis-key name"
	}
	if e.invalid {
		return "give redis://user:password@host:6379, rediss:// for TLS, " +
			"or redis://host:26379?master_set=name for Sentinel"
	}
	if h := hintOfAnswer(e.Err.Error()); h != "" {
		return h
	}
	if isTLS(e.Err) {
		return "is this a port for TLS, with a certificate that this machine or --redis-ca trusts? " +
			"without TLS the URL begins with redis://"
	}
	var dns *net.DNSError
	if errors.As(e.Err, &dns) {
		return "check the name of the host in --redis"
	}
	if errors.Is(e.Err, context.DeadlineExceeded) || isTimeout(e.Err) {
		return "nothing answers there: check host and port in --redis and the firewalls between; rediss:// is for TLS"
	}
	return "is Redis running there? check with: redis-cli -u URL ping"
}

// hintOfAnswer is for errors with which Redis itself answers.
func hintOfAnswer(text string) string {
	for _, h := range []struct{ word, hint string }{
		{"WRONGPASS", "user or password in --redis is wrong; special characters in them are percent-encoded"},
		{"NOAUTH", "this Redis wants a password: redis://:password@host:6379, or redis://user:password@host:6379"},
		{"NOPERM", "this user of Redis lacks rights: docs/cluster.md lists what Belfry needs"},
		{"unknown command", "Belfry needs Redis 7 or later, or Valkey"},
		{"LOADING", "Redis is reading its data: try again in a moment"},
		{"READONLY", "this is a replica: give the address of the master, or of the Sentinels with ?master_set=name"},
	} {
		if strings.Contains(text, h.word) {
			return h.hint
		}
	}
	return ""
}

func isTLS(err error) bool {
	var header tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &header) || errors.As(err, &certificate) || errors.As(err, &unknown)
}

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// addrOf returns what of a URL may be shown to anyone.
func addrOf(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "" // whatever it is, it may hold a password
	case u.Scheme == "unix":
		return "unix://" + u.Path
	case u.Scheme == "" || u.Host == "":
		return ""
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host}
	keep := url.Values{}
	for _, name := range []string{"master_set", "addr"} {
		if v := u.Query()[name]; v != nil {
			keep[name] = v
		}
	}
	shown.RawQuery = keep.Encode()
	return shown.String()
}
