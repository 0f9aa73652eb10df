package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/queue/consume"
)

// Message is an event for clients.
type Message struct {
	// Namespace; default that of the server, "/".
	Namespace string `json:"namespace,omitempty"`
	// Rooms whose members get it, each once. With no room and no User: everybody.
	Rooms []string `json:"rooms,omitempty"`
	// User whose sessions get it as well.
	User string `json:"user,omitempty"`
	// Except are rooms whose members do not get it.
	Except []string `json:"except,omitempty"`
	Event  string   `json:"event"`
	Args   []any    `json:"args,omitempty"` // as encoding/json encodes them
	// ID makes publishing idempotent: of several messages with one ID within some
	// minutes, the first is published. Publish makes one if it is empty.
	ID string `json:"id,omitempty"`
	// Ephemeral messages may be dropped for clients that cannot take them at once.
	Ephemeral bool `json:"ephemeral,omitempty"`
}

// Error is a refusal of the API.
type Error struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("belfry: %s (%s, status %d)", e.Detail, e.Code, e.Status)
}

// Publish publishes m: after nil the cluster has accepted it, once, however often it
// had to be sent. It repeats what failed for a reason that may pass, with the same
// ID, for Options.PublishFor. A refusal is an *Error. After any other error, and
// after an *Error with status 503, it may have been published: to call Publish again
// with the same ID is safe for some minutes.
func (c *Client) Publish(ctx context.Context, m *Message) error {
	if c.opts.API == "" {
		return errors.New("client: Options.API is empty: publishing needs it")
	}
	sent := *m
	if sent.ID == "" {
		sent.ID = rand.Text()
	}
	body, err := json.Marshal(&sent)
	if err != nil {
		return fmt.Errorf("client: encode the message: %w", err)
	}
	limit := time.Now().Add(c.opts.PublishFor)
	for pause := publishFirst; ; pause = min(2*pause, publishLongest) {
		after, err := c.post(ctx, "/api/publish", body)
		after = max(after, pause/2+mathrand.N(pause/2)) //nolint:gosec // guards nothing
		if err == nil || !mayPass(ctx, err) || time.Now().Add(after).After(limit) {
			return err
		}
		if !consume.Sleep(ctx, after) {
			return fmt.Errorf("client: publish: %w, after %w", ctx.Err(), err)
		}
	}
}

const (
	publishFirst   = 100 * time.Millisecond
	publishLongest = 5 * time.Second
)

// mayPass reports whether the same request may succeed later.
func mayPass(ctx context.Context, err error) bool {
	if ctx.Err() != nil {
		return false
	}
	var refused *Error
	if !errors.As(err, &refused) {
		return true // a connection that failed
	}
	switch refused.Status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// post sends one request. after is what the answer says of a next one.
func (c *Client) post(ctx context.Context, path string, body []byte) (after time.Duration, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(c.opts.API, "/")+path, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("client: publish: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if c.opts.Key != "" {
		r.Header.Set("Authorization", "Bearer "+c.opts.Key)
	}
	answer, err := c.opts.HTTP.Do(r)
	if err != nil {
		return 0, fmt.Errorf("client: publish: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	switch {
	case answer.StatusCode >= 300:
		return retryAfter(answer.Header.Get("Retry-After"), time.Now()), refusal(answer.StatusCode, text)
	case err != nil:
		return 0, fmt.Errorf("client: publish: read the answer: %w", err)
	}
	return 0, nil
}

// refusal reads a problem document (RFC 9457). Proxies have bodies of other kinds.
func refusal(status int, body []byte) error {
	e := &Error{}
	if err := json.Unmarshal(body, e); err != nil || e.Code == "" {
		e = &Error{Code: "unknown", Detail: http.StatusText(status)}
	}
	e.Status = status
	return e
}

// retryAfter reads the header: seconds, or a date (RFC 9110, section 10.2.3). What
// cannot be read is 0.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
