package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// HookRequest is what the team's service gets.
type HookRequest struct {
	Token   string            `json:"token"`
	Address string            `json:"address,omitempty"`
	Headers map[string]string `json:"headers,omitempty"` // those that Hook.Forward names
}

// HookAnswer is what it says.
type HookAnswer struct {
	User   string `json:"user"`
	Grants Rules  `json:"grants"`
	// Expires is when the session has to end, in seconds since 1970. 0: never.
	Expires int64 `json:"expires"`
	// Cache is for how many seconds the answer may be used again for the same
	// token and headers. 0: not at all.
	Cache int64 `json:"cache"`
}

// hook asks the team's service.
type hook struct {
	Hook
	client *http.Client
	busy   chan struct{} // a place for each request that is under way
	cache  *cache
}

func newHook(h Hook) (*hook, error) {
	client, err := newClient(h.CA, h.Timeout)
	if err != nil {
		return nil, fmt.Errorf("auth: Options.Hook.CA %w", err)
	}
	return &hook{Hook: h, client: client, busy: make(chan struct{}, h.MaxConcurrent), cache: newCache()}, nil
}

func (h *hook) close() { h.client.CloseIdleConnections() }

func (h *hook) identify(ctx context.Context, c Credentials) (*Identity, error) {
	q := h.request(c)
	key := q.key()
	if id := h.cache.get(key, time.Now()); id != nil {
		return id, nil
	}
	ctx, cancel := context.WithTimeout(ctx, h.Timeout)
	defer cancel()
	select {
	case h.busy <- struct{}{}:
		defer func() { <-h.busy }()
	case <-ctx.Done():
		return nil, unavailable(ctx.Err())
	}
	asked := time.Now()
	answer, err := h.ask(ctx, q)
	if err != nil {
		return nil, err
	}
	return h.accept(key, answer, asked)
}

func (h *hook) request(c Credentials) HookRequest {
	q := HookRequest{Token: c.Token, Address: c.Address}
	for _, name := range h.Forward {
		if c.Header == nil {
			break
		}
		if v := c.Header(name); v != "" {
			if q.Headers == nil {
				q.Headers = make(map[string]string, len(h.Forward))
			}
			q.Headers[name] = v
		}
	}
	return q
}

func unavailable(err error) error {
	return &Error{Code: Unavailable, Message: "who you are cannot be told now", Err: err}
}

const maxAnswer = 64 << 10 // bytes

func (h *hook) ask(ctx context.Context, q HookRequest) (*HookAnswer, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, unavailable(err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, unavailable(err)
	}
	for name, value := range h.Headers {
		r.Header.Set(name, value)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	got, err := h.client.Do(r)
	if err != nil {
		return nil, unavailable(bare(err))
	}
	defer got.Body.Close()
	text, err := readAtMost(got.Body, maxAnswer)
	if err != nil {
		return nil, unavailable(err)
	}
	return parseAnswer(got.StatusCode, text)
}

// bare is the error without the URL, which may hold a password or a key.
func bare(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

func parseAnswer(status int, text []byte) (*HookAnswer, error) {
	switch status {
	case http.StatusOK:
	case http.StatusUnauthorized:
		return nil, &Error{Code: Invalid, Message: "the token is not accepted"}
	case http.StatusForbidden:
		return nil, &Error{Code: Forbidden, Message: "you may not connect"}
	default:
		return nil, unavailable(fmt.Errorf("the answer has status %d", status))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields() // "grant" for "grants" would take everything away without a word
	var a HookAnswer
	if err := d.Decode(&a); err != nil {
		return nil, unavailable(fmt.Errorf("read the answer: %w", err))
	}
	if !validUser(a.User) || a.Expires < 0 || a.Cache < 0 {
		return nil, unavailable(errors.New("the answer has a user, expires or cache that cannot be"))
	}
	return &a, nil
}

// accept makes an identity of an answer, and keeps it for as long as it says.
func (h *hook) accept(key cacheKey, a *HookAnswer, asked time.Time) (*Identity, error) {
	grants, err := a.Grants.For(a.User)
	if err != nil {
		return nil, unavailable(fmt.Errorf("the answer: %w", err))
	}
	id := &Identity{User: a.User, Grants: grants}
	if a.Expires > 0 {
		id.Expires = time.Unix(a.Expires, 0)
		if !asked.Before(id.Expires) {
			return nil, &Error{Code: Expired, Message: "the token has expired"}
		}
	}
	keep := h.Cache
	if a.Cache < int64(keep/time.Second) {
		keep = time.Duration(a.Cache) * time.Second
	}
	if keep > 0 {
		h.cache.put(key, id, asked.Add(keep))
	}
	return id, nil
}
