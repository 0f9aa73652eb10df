package interop

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/interop/wire"
)

// engineTwoPosts begins a second POST before the first has ended.
func engineTwoPosts(t *testing.T, e engine) {
	p := e.polling(t)
	body, feed := io.Pipe()
	defer func() { _ = feed.Close() }()
	first := make(chan error, 1)
	go func() { first <- endless(t.Context(), p.url, body) }()
	if _, err := feed.Write([]byte("4")); err != nil {
		t.Fatal(err)
	}
	// Until the first has reached the server the second may be the only one.
	eventually(func() bool { return p.try(http.MethodPost, "4x").Status == http.StatusBadRequest })
	p.gone()
	_ = feed.Close()
	select {
	case <-first:
	case <-time.After(20 * time.Second):
		t.Error("the first POST was never answered")
	}
}

// endless sends a POST whose body ends when its reader does.
func endless(ctx context.Context, url string, body io.Reader) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/plain;charset=UTF-8")
	res, err := wire.NewTransport().RoundTrip(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
