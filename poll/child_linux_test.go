package poll_test

import (
	"fmt"
	"os"
)

// runChild turns the process into the one that a test has started, and ends it.
func runChild() {
	headroom, ok := os.LookupEnv(fullServerEnv)
	if !ok {
		return
	}
	if err := fullServer(headroom); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}
