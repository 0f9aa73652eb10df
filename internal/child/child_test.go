//go:build linux

package child

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const parent = "BELFRY_TEST_PARENT"

// TestParent is not a test: it is a process that starts another and waits.
func TestParent(t *testing.T) {
	if os.Getenv(parent) == "" {
		t.Skip("this is the process that the other test kills")
	}
	cmd := exec.Command("sleep", "600")
	Bind(cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_, _ = os.Stdout.WriteString("child " + strconv.Itoa(cmd.Process.Pid) + "\n")
	_ = cmd.Wait()
}

// TestBind: who starts a process is killed, and the process ends.
func TestBind(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestParent$") //nolint:gosec // itself
	cmd.Env = append(os.Environ(), parent+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	pid, err2 := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(line, "child ")))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(30 * time.Second); !gone(pid); {
		if time.Now().After(end) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			t.Fatal("the process goes on")
		}
		<-time.After(10 * time.Millisecond)
	}
}

// gone reports whether a process has ended; nobody may have taken note of it.
func gone(pid int) bool {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(text), ") Z ")
}
