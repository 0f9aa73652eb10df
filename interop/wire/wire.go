// Package wire is a client that says exactly what it is told to, right or wrong:
// bare HTTP requests, WebSocket frames and Engine.IO packets. It follows no
// protocol by itself apart from the frames of RFC 6455, so that tests can break
// every rule above them.
package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
)

// Request is one HTTP request.
type Request struct {
	Method string
	URL    string
	Header map[string]string
	Body   []byte
}

// Response is its answer, read whole. For an accepted upgrade Body is empty.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// NewTransport returns a transport without proxies, pools or compression of its
// own: each request has its own connection.
func NewTransport() *http.Transport {
	return &http.Transport{DisableKeepAlives: true, DisableCompression: true}
}

// Do sends r and reads the answer.
func Do(ctx context.Context, r Request) (*Response, error) {
	res, err := send(ctx, r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	out := &Response{Status: res.StatusCode, Header: res.Header}
	if res.StatusCode == http.StatusSwitchingProtocols {
		return out, nil
	}
	if out.Body, err = io.ReadAll(res.Body); err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	return out, nil
}

func send(ctx context.Context, r Request) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, r.Method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	for name, value := range r.Header {
		req.Header[name] = []string{value}
	}
	res, err := NewTransport().RoundTrip(req)
	if err != nil {
		return nil, fmt.Errorf("send request: %w", err)
	}
	return res, nil
}
