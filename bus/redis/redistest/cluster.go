//go:build unix

package redistest

import (
	"fmt"
	"strings"
	"testing"
)

// Cluster is a Redis Cluster of three masters.
type Cluster struct {
	Servers []*Server
	// Master has the slot of keys with {0}, Replica is its replica.
	Master, Replica *Server
}

// StartCluster runs one that notices within two seconds that a master is gone.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	c := &Cluster{}
	for range 4 {
		c.Servers = append(c.Servers, Start(t, "--cluster-enabled", "yes", "--cluster-port", FreePort(t),
			"--cluster-node-timeout", "2000", "--cluster-replica-validity-factor", "0", "--repl-diskless-sync-delay", "0"))
	}
	slots := [][2]string{{"0", "5460"}, {"5461", "10922"}, {"10923", "16383"}} // {0} is 13907
	for i, part := range slots {
		c.Servers[i].Must("CLUSTER", "ADDSLOTSRANGE", part[0], part[1])
		c.Servers[i].Must("CLUSTER", "SET-CONFIG-EPOCH", fmt.Sprint(i+1))
	}
	c.Master, c.Replica = c.Servers[2], c.Servers[3]
	for _, s := range c.Servers[1:] {
		s.Must("CLUSTER", "MEET", "127.0.0.1", c.Servers[0].port, c.Servers[0].option("--cluster-port"))
	}
	id := c.Master.Must("CLUSTER", "MYID")
	c.Replica.await("the replica knows its master", func() bool {
		return strings.Contains(c.Replica.Must("CLUSTER", "NODES"), id)
	})
	c.Replica.Must("CLUSTER", "REPLICATE", id)
	c.Replica.await("the replica is in step", func() bool {
		return strings.HasPrefix(c.Replica.info("replication", "master_link_status:"), "up")
	})
	for _, s := range c.Servers {
		s.await("the cluster is well", func() bool {
			return strings.Contains(s.Must("CLUSTER", "INFO"), "cluster_state:ok") &&
				strings.Count(s.Must("CLUSTER", "NODES"), "connected") == len(c.Servers)
		})
	}
	return c
}

// URL is what a client connects to: a master that has other slots.
func (c *Cluster) URL() string {
	return c.Servers[0].URL() + "?cluster=true&addr=" + c.Servers[1].Addr()
}

// AwaitMaster waits until the replica s has become a master.
func (s *Server) AwaitMaster() {
	s.t.Helper()
	s.await("the replica takes over", func() bool {
		return strings.HasPrefix(s.info("replication", "role:"), "master")
	})
}

// option returns what follows the name among the arguments.
func (s *Server) option(name string) string {
	for i, arg := range s.args {
		if arg == name {
			return s.args[i+1]
		}
	}
	return ""
}
