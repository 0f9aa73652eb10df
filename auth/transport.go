package auth

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// newClient returns a client for one host. It follows no redirects: they would
// take tokens, or trust, elsewhere.
func newClient(ca string, timeout time.Duration) (*http.Client, error) {
	roots, err := poolOf(ca)
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout: timeout,
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			ForceAttemptHTTP2:     true,
			MaxIdleConnsPerHost:   8,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   timeout,
			ResponseHeaderTimeout: timeout,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// poolOf returns nil, the system's, for the empty text.
func poolOf(ca string) (*x509.CertPool, error) {
	if ca == "" {
		return nil, nil
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(ca)) {
		return nil, errors.New("holds no certificate")
	}
	return pool, nil
}

// readAtMost reads a body that must not be longer than limit.
func readAtMost(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("the answer has more than %d bytes", limit)
	}
	return text, err
}

const maxKeySet = 1 << 20 // bytes

// fetcher returns how the keys of a URL are fetched, and how to end that.
func (j JWKS) fetcher(report func(error)) (fetch func(context.Context) ([]verifyKey, error), end func(), err error) {
	client, err := newClient(j.CA, j.Timeout)
	if err != nil {
		return nil, nil, err
	}
	return func(ctx context.Context) ([]verifyKey, error) {
		text, err := get(ctx, client, j.URL)
		if err != nil {
			return nil, err
		}
		keys, skipped, err := parseKeySet(text)
		if err == nil && len(keys) == 0 {
			err = errors.Join(append([]error{errors.New("no key can be used")}, skipped...)...)
		}
		for _, s := range skipped {
			report(s)
		}
		return keys, err
	}, client.CloseIdleConnections, nil
}

func get(ctx context.Context, client *http.Client, url string) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	answer, err := client.Do(r)
	if err != nil {
		return nil, bare(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the answer of %s has status %d", hostOf(url), answer.StatusCode)
	}
	return readAtMost(answer.Body, maxKeySet)
}
