package poll_test

import (
	"fmt"
	"os"
)

// runChild turns the process into one that a test has started, and ends it.
func runChild() {
	roles := map[string]func(string) error{fullServerEnv: fullServer, drainEnv: drain, chatterEnv: chatter}
	for env, role := range roles {
		arg, ok := os.LookupEnv(env)
		if !ok {
			continue
		}
		if err := role(arg); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}
