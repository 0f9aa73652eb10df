//go:build unix

package redistest

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// StartSentinel runs a Sentinel that alone decides about the master, one second
// after it is gone. It returns when it sees a replica.
func StartSentinel(t testing.TB, name string, master *Server) *Server {
	t.Helper()
	requireBinary(t, "redis-server")
	s := &Server{t: t, port: FreePort(t), dir: t.TempDir()}
	t.Cleanup(s.Kill)
	file := filepath.Join(s.dir, "sentinel.conf")
	conf := fmt.Sprintf(`port %s
bind 127.0.0.1
dir %s
sentinel monitor %s 127.0.0.1 %s 1
sentinel down-after-milliseconds %s 1000
sentinel failover-timeout %s 5000
`, s.port, s.dir, name, master.port, name, name)
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(exec.Command("redis-server", file, "--sentinel"))
	s.await("the sentinel sees the replica", func() bool {
		return s.Must("SENTINEL", "REPLICAS", name) != "*0"
	})
	return s
}

// ReplicaOf makes s a replica of the Redis at an address and waits until it is
// in step.
func (s *Server) ReplicaOf(addr string) {
	s.t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Must("REPLICAOF", host, port)
	s.await("the replica is in step", func() bool {
		return strings.HasPrefix(s.info("replication", "master_link_status:"), "up")
	})
}

// AwaitCaughtUp waits until the replica s has all that its master has.
func (s *Server) AwaitCaughtUp(master *Server) {
	s.t.Helper()
	s.await("the replica has everything", func() bool {
		return s.info("replication", "slave_repl_offset:") == master.info("replication", "master_repl_offset:")
	})
}

func (s *Server) await(what string, ok func() bool) {
	s.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-time.After(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("waited in vain until %s", what)
		}
	}
}
