//go:build unix

package cli_test

import (
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestQueueScripts runs the scripts of testdata/queue, with a Redis at the URL REDIS.
// redisdo WORD... sends it a command; \x1b in a word is ESC.
func TestQueueScripts(t *testing.T) {
	server := redistest.Start(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/queue",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOST", "127.0.0.1")
			e.Setenv("REDIS", server.URL())
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"redisdo": func(ts *testscript.TestScript, neg bool, words []string) {
				if neg || len(words) == 0 {
					ts.Fatalf("usage: redisdo WORD...")
				}
				for i := range words {
					words[i] = strings.ReplaceAll(words[i], `\x1b`, "\x1b")
				}
				server.Must(words...)
			},
		},
	})
}
