package chain

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
)

// sample is what two processes hold at a time.
type sample struct {
	part          string        // of the run
	at            time.Duration // since that began
	node, archive int64
}

// BenchmarkPostgresAway produces 5,000 messages a second, which a node brings to clients
// and an archive into a table, and takes the database away for a while. It tells what
// node and archive hold meanwhile, and that each message is one row in the end.
func BenchmarkPostgresAway(b *testing.B) {
	const rate = 5000
	for range b.N {
		broker, redis, database := bed.Broker(b), redistest.Start(b), postgrestest.Start(b, flushed...)
		topic := broker.Topic(b, 4)
		broker.Create(b, topic+".dead", 1)
		url := database.Database(b)
		n := serve(b, topicNode(broker, topic, redis.URL()))
		a := startArchive(b, "--kafka", "kafka://"+broker.Addr(), "--topic", topic, "--postgres", url)
		until(b, "the archive is ready", func() bool { return ready(a.url + "/healthz/ready") })
		before, after := *away/3, *away/2
		ended := make(chan uint64, 1)
		go func() {
			r := clients(b, "kafka", "--kafka", "kafka://"+broker.Addr(), "--topic", topic, "--url", n.url, "--json", "-",
				"--rate", fmt.Sprint(rate), "--warmup", "0s", "--grace", "10s", "--duration", (before + *away + after).String())
			if c := r.Check; c.Lost+c.Duplicated+c.OutOfOrder > 0 {
				b.Errorf("clients did not get all once, in order: %+v", c)
			}
			ended <- r.Check.Expected // one client in each room
		}()
		until(b, "the first rows", func() bool { return a.rows() > 0 })
		curve := watch(b, n, a, "before", before, func() {})
		curve = append(curve, watch(b, n, a, "away", *away, database.Stop)...)
		curve = append(curve, watch(b, n, a, "after", after, func() { database.Run(b) })...)
		sent := int(<-ended)
		began := time.Now()
		until(b, "all rows", func() bool { return count(b, url) >= sent })
		b.Logf("all of %d messages are rows %.1f s after the last was sent", sent, time.Since(began).Seconds())
		if got := count(b, url); got != sent {
			b.Errorf("there are %d rows of %d messages", got, sent)
		}
		report(b, curve)
	}
}

// watch takes samples for a while that begins with what begin does.
func watch(b *testing.B, n node, a archiver, part string, d time.Duration, begin func()) (curve []sample) {
	b.Helper()
	begin()
	end := time.Now().Add(d)
	for time.Now().Before(end) {
		_, node := usage(b, n.pid)
		_, archive := usage(b, a.pid)
		curve = append(curve, sample{part, d - time.Until(end), node, archive})
		<-time.After(min(time.Second, *away/10))
	}
	return curve
}

func count(b *testing.B, url string) (n int) {
	b.Helper()
	conn, err := pgx.Connect(context.Background(), url)
	if err != nil {
		return 0
	}
	defer func() { _ = conn.Close(context.Background()) }()
	_ = conn.QueryRow(context.Background(), "SELECT count(*) FROM messages").Scan(&n) // 0 then
	return n
}

// report shows the curve, and the most of each part.
func report(b *testing.B, curve []sample) {
	b.Helper()
	var text strings.Builder
	most := make(map[string]sample)
	for i, s := range curve {
		m := most[s.part]
		most[s.part] = sample{node: max(m.node, s.node), archive: max(m.archive, s.archive)}
		if i%5 == 0 {
			fmt.Fprintf(&text, "\n%s %v: node %.1f MiB, archive %.1f MiB", s.part, s.at.Round(100*time.Millisecond), mib(s.node), mib(s.archive))
		}
	}
	b.Log(text.String())
	b.ReportMetric(0, "ns/op")
	for part, m := range most {
		b.ReportMetric(mib(m.node), "node-MiB-"+part)
		b.ReportMetric(mib(m.archive), "archive-MiB-"+part)
	}
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }
