package cli_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-09a96375/belfry/internal/cli"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"belfry": func() { os.Exit(cli.Run()) }})
}

// TestScripts runs the scripts of testdata/script. HOST is an address of this
// machine on which each script uses ports of its own. Besides the usual
// commands there is
//
//	fetch URL [text]            waits until the URL is answered, and for the text in the answer
//	keyserver                   serves keys for tokens over HTTPS
//	greet URL TOKENFILE [packet]...   talks to a node as a client
func TestScripts(t *testing.T) {
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = "127.0.0.83" // where nobody else listens
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOST", host)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"fetch": fetch, "greet": greet, "keyserver": keyserver},
	})
}

func fetch(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: fetch URL [text]")
	}
	text := ""
	if len(args) == 2 {
		text = args[1]
	}
	const patience = 20 * time.Second
	client := http.Client{
		Timeout:   patience,
		Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext},
	}
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	var last string
	for until := time.Now().Add(patience); time.Now().Before(until); <-retry.C {
		r, err := client.Get(args[0])
		if err != nil {
			last = err.Error()
			continue
		}
		b, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if last = string(b); err == nil && r.StatusCode == http.StatusOK && strings.Contains(last, text) {
			return
		}
	}
	ts.Fatalf("%s gives no answer with %q; the last one is %q", args[0], text, last)
}
