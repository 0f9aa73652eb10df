package webhook

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Options of a Webhook. Name, URL and Secret are required.
type Options struct {
	// Name of the webhook, for routes and the log.
	Name string
	// Queue is the one whose events are sent. Default: one of its own, with its name.
	Queue string
	// Group is the consumer group. Default "webhook:" and the Name.
	Group string
	// URL gets the POSTs: https://, or http:// on this machine.
	URL string
	// Insecure allows http:// to other machines. Requests are signed, but not hidden.
	Insecure bool
	// Secret signs the requests: base64 of 24 to 64 random bytes, "whsec_" in front
	// or not.
	Secret string
	// OldSecret signs them, too, so that receivers may know either of the two while
	// one takes the place of the other. Empty: there is none.
	OldSecret string
	// Headers of the request, such as Authorization.
	Headers map[string]string
	// CA is PEM with the authorities to trust. Empty: those of the system.
	CA string
	// Timeout of a request, with its answer. Default 15 s.
	Timeout time.Duration
	// Concurrency bounds the requests of this node that are under way. Default 16.
	Concurrency int
	// Waiting bounds the events that this node has taken from the queue: those under
	// way, and those that wait for their turn or another try. Default 1,000.
	Waiting int
	// MaxTries is how often a request is sent until its event is a dead letter.
	// Default -1: there is no bound but MaxAge.
	MaxTries int
	// MaxAge is how old an event may become until it is a dead letter, after a try
	// that failed. Default 24 h; negative: no bound.
	MaxAge time.Duration
	// Backoff is the time from the first try to the second; it doubles with every
	// try, up to MaxBackoff. Defaults 1 s and 10 minutes.
	Backoff, MaxBackoff time.Duration
	// ReclaimAfter is how long a node may give no sign of life until others send what
	// it had taken. Default 1 minute, at least 300 ms.
	ReclaimAfter time.Duration
	// MaxAnswer bounds the body of an answer, bytes. Default 64 KiB.
	MaxAnswer int
	// Observe, if not nil, gets every try. It must not block.
	Observe func(Try)
	// Logger gets what goes wrong. Default slog.Default().
	Logger *slog.Logger
}

// Try is one request.
type Try struct {
	Webhook string
	ID      string // of the event
	Number  int    // from 1
	Status  int    // 0: there was no answer
	Time    time.Duration
	Err     error // nil: delivered
}

func (o Options) withDefaults() Options {
	for _, d := range []struct {
		p *time.Duration
		v time.Duration
	}{{&o.Timeout, 15 * time.Second}, {&o.MaxAge, 24 * time.Hour}, {&o.Backoff, time.Second}, {&o.ReclaimAfter, time.Minute}, {&o.MaxBackoff, 10 * time.Minute}} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	for _, d := range []struct {
		p *int
		v int
	}{{&o.Concurrency, 16}, {&o.Waiting, max(1000, o.Concurrency)}, {&o.MaxTries, -1}, {&o.MaxAnswer, 64 << 10}} {
		if *d.p == 0 {
			*d.p = d.v
		}
	}
	if o.Queue == "" {
		o.Queue = o.Name
	}
	if o.Group == "" {
		o.Group = "webhook:" + o.Name
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return o
}

// Completed returns the options with their defaults.
func (o Options) Completed() Options { return o.withDefaults() }

// Validate names the options that cannot work, all of them. No secret is in its
// errors.
func (o Options) Validate() error {
	o = o.withDefaults()
	var errs []error
	bad := func(wrong bool, field string, value any, rule string) {
		if wrong {
			errs = append(errs, fmt.Errorf("webhook: Options.%s is %v: must be %s", field, value, rule))
		}
	}
	bad(o.Name == "", "Name", "empty", "a name")
	if err := checkURL(o.URL, o.Insecure); err != nil {
		errs = append(errs, fmt.Errorf("webhook: Options.URL %w", err))
	}
	if _, err := key(o.Secret); err != nil {
		errs = append(errs, fmt.Errorf("webhook: Options.Secret %w", err))
	}
	if _, err := key(o.OldSecret); o.OldSecret != "" && err != nil {
		errs = append(errs, fmt.Errorf("webhook: Options.OldSecret %w", err))
	}
	bad(o.CA != "" && !x509.NewCertPool().AppendCertsFromPEM([]byte(o.CA)), "CA", "not PEM", "a file with certificates")
	for name := range o.Headers {
		bad(own(name), "Headers", fmt.Sprintf("%q", name), "other headers than Belfry's own")
	}
	bad(o.Timeout < 10*time.Millisecond, "Timeout", o.Timeout, "at least 10ms")
	bad(o.Concurrency < 1, "Concurrency", o.Concurrency, "positive")
	bad(o.Waiting < o.Concurrency, "Waiting", o.Waiting, "at least Concurrency")
	bad(o.MaxTries < -1, "MaxTries", o.MaxTries, "positive, or -1 for no bound")
	bad(o.Backoff < 0, "Backoff", o.Backoff, "positive")
	bad(o.MaxBackoff < o.Backoff, "MaxBackoff", o.MaxBackoff, "at least Backoff")
	bad(o.ReclaimAfter < 300*time.Millisecond, "ReclaimAfter", o.ReclaimAfter, "at least 300ms")
	bad(o.MaxAnswer < 0, "MaxAnswer", o.MaxAnswer, "positive")
	return errors.Join(errs...)
}

// own are the headers that Belfry sets.
func own(name string) bool {
	return slices.Contains([]string{"Content-Type", "Content-Length", "Host", "User-Agent", headID, headTime, headSignature, headTry}, textproto.CanonicalMIMEHeaderKey(name)) ||
		strings.ContainsAny(name, " \r\n:") || name == ""
}

func checkURL(text string, insecure bool) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("must be a URL like https://backend.example.com/events")
	case u.Scheme == "https", insecure, u.Hostname() == "localhost":
		return nil
	}
	if ip := net.ParseIP(u.Hostname()); ip != nil && ip.IsLoopback() {
		return nil
	}
	return errors.New("is http:// to another machine: must be https://, or say that it may be insecure")
}
