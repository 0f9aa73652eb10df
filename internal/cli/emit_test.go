package cli_test

import (
	"io"
	"net/http"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestRemote runs the scripts of testdata/remote: commands that talk to a node.
// Besides the commands of TestScripts there are
//
//	await PATH text          waits for the text in the answer of the API to GET PATH
//	keep NAME pattern        sets NAME to what the pattern's group is in the last output
//
// URL and BELFRY_API_KEY say where the node is and what it wants.
func TestRemote(t *testing.T) {
	host := "127.0.0.1"
	if runtime.GOOS == "linux" {
		host = "127.0.0.84" // where nobody else listens
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/remote",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOST", host)
			for _, name := range []string{"BELFRY_URL", "BELFRY_API_KEY", "BELFRY_TOKEN", "BELFRY_CONFIG"} {
				e.Setenv(name, "")
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"fetch": fetch, "await": await, "keep": keep},
	})
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await PATH text")
	}
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	var last string
	for until := time.Now().Add(30 * time.Second); time.Now().Before(until); <-retry.C {
		r, err := http.NewRequest(http.MethodGet, ts.Getenv("BELFRY_URL")+args[0], nil)
		ts.Check(err)
		r.Header.Set("Authorization", "Bearer "+ts.Getenv("BELFRY_API_KEY"))
		got, err := (&http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		ts.Check(err)
		b, err := io.ReadAll(got.Body)
		ts.Check(err)
		_ = got.Body.Close()
		if last = string(b); strings.Contains(last, args[1]) {
			return
		}
	}
	ts.Fatalf("no %q; the last answer is %q", args[1], last)
}

func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME pattern")
	}
	m := regexp.MustCompile(args[1]).FindStringSubmatch(ts.ReadFile("stdout"))
	if len(m) != 2 {
		ts.Fatalf("%q is not in the output", args[1])
	}
	ts.Setenv(args[0], m[1])
}
