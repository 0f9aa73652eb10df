// Package webhook sends the events of a queue to a URL, signed as Standard Webhooks
// says.
//
//	queue ─ group ─ POST ─┬ 2xx: done; the body is the reply, if the client wants one
//	          ▲           ├ 400, 410, 413, 422: a dead letter at once
//	          │           └ all else: again, with back-off or after Retry-After;
//	          └─────────────  a dead letter after MaxTries or MaxAge
//
// The group has each event sent by one node, and by another if that one dies: then it
// may be sent twice, with one webhook-id. Events with one key are sent one after the
// other: while one fails those behind it wait.
package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Webhook sends events. Safe for concurrent use.
type Webhook struct {
	o      Options
	keys   [][]byte
	client *http.Client
}

// New returns a webhook. Close it when Run has returned.
func New(o Options) (*Webhook, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	w := &Webhook{o: o, client: newClient(o)}
	for _, s := range []string{o.Secret, o.OldSecret} {
		if k, err := key(s); err == nil { // Validate has tried; there may be no old one
			w.keys = append(w.keys, k)
		}
	}
	return w, nil
}

// newClient returns a client for one host. It follows no redirects: the operator has
// named this place and no other.
func newClient(o Options) *http.Client {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if o.CA != "" {
		t.RootCAs = x509.NewCertPool()
		t.RootCAs.AppendCertsFromPEM([]byte(o.CA)) // Validate has tried
	}
	return &http.Client{
		Timeout: o.Timeout,
		Transport: &http.Transport{
			Proxy: http.ProxyFromEnvironment, TLSClientConfig: t, ForceAttemptHTTP2: true,
			MaxIdleConnsPerHost: o.Concurrency, IdleConnTimeout: 90 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close ends idle connections.
func (w *Webhook) Close() { w.client.CloseIdleConnections() }

// Run sends the events of a queue until ctx ends, and returns when the requests under
// way have ended.
func (w *Webhook) Run(ctx context.Context, q belfry.Consumer) error {
	return q.Consume(ctx, w.o.Group, w.Handle, belfry.ConsumeOptions{
		Concurrency: w.o.Concurrency, Prefetch: w.o.Waiting, MaxTries: w.o.MaxTries, MaxAge: max(w.o.MaxAge, 0),
		Backoff: w.o.Backoff, MaxBackoff: w.o.MaxBackoff, ReclaimAfter: w.o.ReclaimAfter, StopTimeout: w.o.Timeout + time.Second, Logger: w.o.Logger,
	})
}

// Handle sends one event. It is a belfry.Handler.
func (w *Webhook) Handle(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
	text, err := encode(&d.Event)
	if err != nil {
		return nil, &belfry.PoisonError{Reason: fmt.Errorf("the event is not JSON: %w", err)}
	}
	begun := time.Now()
	got, err := w.post(ctx, d, text)
	if w.o.Observe != nil {
		w.o.Observe(Try{w.o.Name, d.ID, d.Tries, got.status, time.Since(begun), err})
	}
	if err != nil || !d.Reply {
		return nil, err
	}
	if got.large {
		return &belfry.Answer{Error: "the backend's answer is too large"}, nil
	}
	return answer(got.body), nil
}

// response is what came back.
type response struct {
	status int
	body   []byte
	large  bool // there was more than MaxAnswer
}

// post sends a request. Its error says what is to become of the event.
func (w *Webhook) post(ctx context.Context, d *belfry.Delivery, text []byte) (response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.o.URL, bytes.NewReader(text))
	if err != nil {
		return response{}, bare(err)
	}
	for name, value := range w.o.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "Belfry")
	r.Header.Set(headTry, strconv.Itoa(max(d.Tries, 1)))
	sign(r.Header, w.keys, messageID(d.ID), time.Now(), text)
	got, err := w.client.Do(r)
	if err != nil {
		return response{}, bare(err)
	}
	defer got.Body.Close()
	res := response{status: got.StatusCode}
	res.body, err = io.ReadAll(io.LimitReader(got.Body, int64(w.o.MaxAnswer)+1))
	res.large = len(res.body) > w.o.MaxAnswer
	if err != nil && verdictOf(res.status) == delivered && d.Reply {
		return res, fmt.Errorf("read the answer: %w", bare(err)) // it may be had by another try
	}
	return res, w.judge(res, got.Header)
}

// judge returns nil for what is delivered.
func (w *Webhook) judge(res response, h http.Header) error {
	err := &statusError{res.status, string(res.body[:min(len(res.body), shown)])}
	switch verdictOf(res.status) {
	case delivered:
		return nil
	case refused:
		return &belfry.PoisonError{Reason: err}
	}
	if after := retryAfter(h, time.Now()); after > 0 {
		return &belfry.RetryError{Reason: err, After: after}
	}
	return err
}

// shown is how much of an answer the log and dead letters have, bytes.
const shown = 200

// statusError is an answer that is no success.
type statusError struct {
	status int
	body   string
}

// Error shows the status, and the beginning of the body.
func (e *statusError) Error() string {
	if e.body == "" {
		return fmt.Sprintf("status %d", e.status)
	}
	return fmt.Sprintf("status %d: %.200q", e.status, e.body)
}

// bare is the error without the URL, which may hold a key.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}
