//go:build !unix

package bench

import "os/exec"

// Where the load generator does not run, it starts no processes.
func detach(*exec.Cmd) {}
func terminate(int)    {}
func kill(int)         {}
