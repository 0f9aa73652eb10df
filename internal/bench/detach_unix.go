//go:build unix

package bench

import (
	"os/exec"
	"syscall"
)

// detach gives a process a group of its own, so that signals of the terminal do
// not reach it, and it can be ended with all that it starts.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

// terminate asks a detached process and what it started to end; kill makes
// them. Whoever has ended already is no error.
func terminate(pid int) { _ = syscall.Kill(-pid, syscall.SIGTERM) }
func kill(pid int)      { _ = syscall.Kill(-pid, syscall.SIGKILL) }
