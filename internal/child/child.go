// Package child has processes end with the one that has started them, however that
// ends: so that a test or an experiment that is killed leaves no servers behind.
package child

import "os/exec"

// Bind does so for a command that has not started yet, where the system can: on Linux.
// Elsewhere it does nothing. The thread that calls Start must not end before.
func Bind(cmd *exec.Cmd) { bind(cmd) }
