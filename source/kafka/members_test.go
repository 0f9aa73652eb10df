//go:build unix

package kafka

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/kafkaconn"
)

// order is what a process of the test is told to do.
type order struct {
	URL, Topic, Bus string
	Careless        bool
}

const orderName = "KAFKA_TEST_MEMBER"

// member runs a source that publishes to the bus of another process, if this one was
// started to do that. It ends when it is killed.
func member() (is bool) {
	text := os.Getenv(orderName)
	if text == "" {
		return false
	}
	var o order
	if err := json.Unmarshal([]byte(text), &o); err != nil {
		panic(err)
	}
	conn, err := net.Dial("tcp", o.Bus)
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(conn, os.Getpid())
	bus := &remote{conn: conn, answers: bufio.NewReader(conn)}
	settings := memberOptions(o.URL, o.Topic)
	if o.Careless {
		err = careless(context.Background(), settings, bus.handle)
	} else if s, fault := New(settings); fault == nil {
		err = s.Run(context.Background(), bus.handle)
	}
	panic(fmt.Sprint("the member has ended: ", err))
}

func memberOptions(url, topic string) Options {
	o := options(&kafkatest.Broker{}, topic)
	o.Kafka = kafkaconn.Options{URL: url}
	o.SessionTimeout = 1500 * time.Millisecond
	return o
}

// careless is the negative control: it commits what it was given, then handles it.
func careless(ctx context.Context, o Options, h handle) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(strings.TrimPrefix(o.Kafka.URL, "kafka://")), kgo.ConsumerGroup(o.Group),
		kgo.ConsumeTopics(o.Topics...), kgo.DisableAutoCommit(), kgo.SessionTimeout(o.SessionTimeout),
		kgo.HeartbeatInterval(o.SessionTimeout/4), kgo.FetchMaxWait(fetchWait))
	if err != nil {
		return err
	}
	defer client.Close()
	for ctx.Err() == nil {
		all := client.PollRecords(ctx, 500).Records()
		if err := client.CommitRecords(ctx, all...); err != nil {
			continue
		}
		for _, rec := range all {
			_ = h(ctx, &belfry.Record{
				ID: fmt.Sprintf("%s/%d/%d", rec.Topic, rec.Partition, rec.Offset), Key: string(rec.Key), Value: rec.Value,
			})
		}
	}
	return nil
}

// remote is the bus of another process.
type remote struct {
	mu      sync.Mutex
	conn    net.Conn
	answers *bufio.Reader
}

func (r *remote) handle(_ context.Context, rec *belfry.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := fmt.Fprintf(r.conn, "%s %s %s\n", rec.ID, rec.Key, rec.Value); err != nil {
		return err
	}
	answer, err := r.answers.ReadString('\n')
	if err == nil && answer != "ok\n" {
		err = belfry.ErrDuplicate
	}
	return err
}

// stage is a bus with members in processes of their own. Now and then it kills one:
// after it has published what that has sent, and before that knows.
type stage struct {
	t     testing.TB
	order order
	bus   *ledger

	listener net.Listener
	tasks    sync.WaitGroup

	mu      sync.Mutex
	killAt  []int             // how much is published then
	members map[int]*exec.Cmd // by process id; nil: the end
}

func newStage(t testing.TB, o order, killAt ...int) *stage {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Bus = l.Addr().String()
	s := &stage{t: t, order: o, bus: newLedger(), listener: l, killAt: killAt, members: make(map[int]*exec.Cmd)}
	t.Cleanup(s.close)
	s.tasks.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.tasks.Go(func() { s.serve(conn) })
		}
	})
	return s
}

// enter starts a member.
func (s *stage) enter() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.members == nil {
		return
	}
	text, _ := json.Marshal(s.order)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), orderName+"="+string(text))
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		s.t.Errorf("start a member: %v", err)
		return
	}
	s.members[cmd.Process.Pid] = cmd
}

// serve is the bus for one member.
func (s *stage) serve(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	lines.Scan()
	pid, _ := strconv.Atoi(lines.Text())
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		answer := "ok\n"
		if err := s.bus.publish(words[0], words[1], words[2]); err != nil {
			answer = "duplicate\n"
		}
		if s.due() {
			s.kill(pid)
			s.enter()
			return
		}
		_, _ = conn.Write([]byte(answer))
	}
}

// due reports whether it is time for a kill.
func (s *stage) due() bool {
	n := s.bus.published()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.killAt) == 0 || n < s.killAt[0] {
		return false
	}
	s.killAt = s.killAt[1:]
	return true
}

func (s *stage) kill(pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if cmd := s.members[pid]; cmd != nil {
		delete(s.members, pid)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
}

func (s *stage) close() {
	s.mu.Lock()
	for _, cmd := range s.members {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	}
	s.members = nil
	s.mu.Unlock()
	_ = s.listener.Close()
	s.tasks.Wait()
}
