package scenario

import (
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry/chaos/publish"
)

const (
	usual = 20 * time.Second
	long  = 30 * time.Second
)

// All returns every scenario, in the order in which they run.
func All() []Scenario {
	all := []Scenario{
		{Name: "calm", About: "nothing happens", Over: usual, Fault: calm, Control: swapped},
		{Name: "drop", About: "all clients lose their connections, twice", Over: usual, Fault: dropTwice, Drops: 1.5, Control: noRecovery},
		{Name: "flap", About: "all clients lose their connections twelve times, every 0.65 s, while they are coming back", Over: usual, Fault: flap, Drops: 1.5, Control: noRecovery},
		{Name: "sigterm", About: "a node is ended in an orderly way, and started again", Over: usual, Fault: terminate, Drops: 0.2, Control: noRecovery},
		{Name: "kill", About: "kill -9 of a node, started again after 2 s", Over: usual, Fault: kill, Drops: 0.2, Control: noRecovery},
		{Name: "kill-all", About: "kill -9 of all nodes, one after the other", Over: 25 * time.Second, Fault: killAll, Drops: 0.9, Control: noRecovery},
		{Name: "rolling", About: "all nodes are restarted, one after the other", Over: 25 * time.Second, Fault: rolling, Drops: 0.9, Control: noRecovery},
	}
	for _, d := range []time.Duration{100 * time.Millisecond, time.Second, 10 * time.Second} {
		all = append(all, Scenario{
			Name: fmt.Sprint("cut-", d), About: fmt.Sprintf("the Redis link of a node is cut for %v", d),
			Over: usual, Fault: cutLink(d), Control: noRepair,
		})
	}
	return append(
		all,
		Scenario{Name: "cut-drop", About: "the Redis link of a node is cut for 4 s, and all clients have to come back meanwhile", Over: usual, Fault: cutAndDrop, Drops: 0.9, Control: noRecovery},
		Scenario{Name: "deaf", About: "the subscription of a node goes silent, its connection stays open", Over: usual, Fault: deafen, Control: noRepair},
		Scenario{Name: "redis-restart", About: "kill -9 of Redis, which comes back with its append-only file", Over: usual, Fault: restartRedis, Control: noRepair},
		Scenario{Name: "redis-frozen", About: "Redis stands still for 4 s, and all clients have to come back meanwhile", Over: usual, Fault: freezeRedis, Drops: 0.9, Control: noRecovery},
		Scenario{Name: "redis-restart-drop", About: "Redis is away for 3 s, and all clients have to come back meanwhile", Over: usual, Fault: restartRedisAndDrop, Tells: true, Control: doubled},
		Scenario{Name: "failover", About: "Redis is killed, Sentinel promotes its replica", Over: usual, Watched: true, Fault: failover, Control: doubled},
		Scenario{Name: "failover-lossy", About: "the replica that takes over lacks the last writes", Over: usual, Watched: true, Fault: failoverLossy, Tells: true, Control: untold},
		Scenario{Name: "trimmed", About: "the log is emptied while the link of a node is cut", Over: usual, NeedsLog: true, Fault: trim, Tells: true, Control: untold},
		Scenario{Name: "frozen", About: "a node stands still for 6 s", Over: usual, Fault: freeze(6 * time.Second), Control: skipped},
		Scenario{Name: "frozen-long", About: "a node stands still for 13 s, longer than its lease", Over: 25 * time.Second, Fault: freeze(13 * time.Second), Control: doubled},
		Scenario{Name: "publish", About: "messages go through the HTTP API with ids, and again until they are accepted, while nodes and Redis are killed and come back", Over: long, Via: publish.ByAPI, Fault: everything, Drops: 0.4, Strangers: 2.0 / quietShare, Control: withoutIDs},
		Scenario{Name: "sources", About: "messages are entries of a stream, some are poison, while nodes and Redis are killed and come back", Over: long, Via: publish.ByStream, Fault: everything, Drops: 0.4, Strangers: 2.0 / quietShare, Control: fromChannel},
		Scenario{Name: "frozen-moved", About: "a node stands still, its clients go elsewhere, it wakes up", Over: usual, Fault: freezeAndMove, Drops: 0.2, Control: noRecovery},
	)
}
