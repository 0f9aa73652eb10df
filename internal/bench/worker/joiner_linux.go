package worker

import (
	"fmt"
	"strconv"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
)

// joiner makes the clients join their rooms, so many at a time.
type joiner struct {
	*loop
	next  int   // the next client to join
	done  int   // clients that joined
	moved int64 // when one joined last
}

// proceed sends as many joins as may be under way.
func (j *joiner) proceed(now int64) {
	if j.moved == 0 {
		j.moved = now
	}
	for j.next-j.done < j.set.Concurrency && j.next < len(j.clients) {
		i := j.next
		j.next++
		if j.set.Plan.Listens(j.set.First + i) {
			j.join(i)
		} else {
			j.acked(i)
		}
	}
	if now-j.moved > int64(j.set.Timeout) {
		j.fail(&Fault{
			Text:   fmt.Sprintf("%d of %d clients got no ack for join", len(j.clients)-j.done, len(j.clients)),
			Advice: "the server must serve the contract: `join` (room, ack), `say` (room, payload), `echo` (payload, ack)",
		})
	}
}

func (j *joiner) join(i int) {
	j.request(i, dialect.Request{Verb: dialect.Join, Room: j.roomName(i)})
}

// acked takes the ack of a join.
func (j *joiner) acked(i int) {
	c := &j.clients[i]
	if j.phase != joinPhase || c.joined {
		return
	}
	c.joined = true
	j.done++
	j.moved = j.clock.Now()
	if j.done == len(j.clients) {
		j.phase = holdPhase
		j.report(Report{Op: OpJoin})
	}
}

func (l *loop) roomName(i int) string {
	return l.set.RoomPrefix + strconv.Itoa(int(l.judge.rooms[i]))
}
