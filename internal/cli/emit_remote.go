package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const (
	standardURL = "http://127.0.0.1:8080"
	secretFile  = "file:"
)

// remote is a node that a command talks to.
type remote struct {
	base   string // URL without a path at its end
	secret string // key or token; empty: none
}

// remoteFlags are the flags that say which node, and what to show to it.
type remoteFlags struct{ url, secret string }

func (r *remoteFlags) add(f *pflag.FlagSet, name, usage string) {
	f.StringVar(&r.url, "url", "", "`URL` of a node (default BELFRY_URL, or "+standardURL+")")
	f.StringVar(&r.secret, name, "", usage)
}

// node returns what the flags say; the variable stands for a secret that is not given.
func (r *remoteFlags) node(cmd *cobra.Command, variable string) (*remote, error) {
	base := firstText(r.url, os.Getenv("BELFRY_URL"), standardURL)
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, usageError(cmd, fmt.Errorf("--url is %q: must be a URL like %s", base, standardURL))
	}
	secret, err := readSecret(firstText(r.secret, os.Getenv(variable)))
	if err != nil {
		return nil, err
	}
	return &remote{strings.TrimRight(base, "/"), secret}, nil
}

// firstText returns the first that is not empty.
func firstText(all ...string) string {
	for _, s := range all {
		if s != "" {
			return s
		}
	}
	return ""
}

// readSecret returns text, or what is in the file that it names.
func readSecret(text string) (string, error) {
	name, ok := strings.CutPrefix(text, secretFile)
	if !ok {
		return text, nil
	}
	content, err := os.ReadFile(name)
	if err != nil {
		return "", &Error{Err: fmt.Errorf("read the secret: %w", err), Hint: "file:NAME is a file with nothing but the secret in it"}
	}
	return strings.TrimSpace(string(content)), nil
}

// request makes a request to the node.
func (r *remote) request(ctx context.Context, method, path string, body io.Reader) (*http.Request, error) {
	q, err := http.NewRequestWithContext(ctx, method, r.base+path, body)
	if err == nil && r.secret != "" {
		q.Header.Set("Authorization", "Bearer "+r.secret)
	}
	return q, err
}

// unreachable is the error of a request that got no answer.
func (r *remote) unreachable(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		err = u.Err
	}
	return &Error{Err: fmt.Errorf("no answer from %s: %w", r.base, err), Hint: "is belfry serve running there? give its address with --url or BELFRY_URL"}
}

// backOff waits between tries.
type backOff struct{ next time.Duration }

const (
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
)

// wait returns false if ctx ends meanwhile.
func (b *backOff) wait(ctx context.Context) bool {
	b.next = min(max(2*b.next, firstPause), lastPause)
	t := time.NewTimer(b.next)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
