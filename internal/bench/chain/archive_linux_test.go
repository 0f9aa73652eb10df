package chain

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
)

// flushed are the settings of a PostgreSQL that writes as those in use do.
var flushed = []string{"fsync=on", "full_page_writes=on", "shared_buffers=512MB", "max_wal_size=4GB"} // never changed

// archiver is a `belfry archive`.
type archiver struct {
	url string
	pid int
}

func startArchive(b testing.TB, args ...string) archiver {
	b.Helper()
	addr := "127.0.0.1:" + redistest.FreePort(b)
	return archiver{"http://" + addr, belfry(b, append([]string{"archive", "--listen", addr}, args...)...)}
}

// rows is how many it has written; 0 before it answers.
func (a archiver) rows() (n int) {
	answer, err := http.Get(a.url + "/stats")
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	var stats struct {
		Rows int `json:"rows"`
	}
	_ = json.NewDecoder(answer.Body).Decode(&stats) // 0 then
	return stats.Rows
}

// message is one of 200 bytes as the archive keeps it.
func message(i int) (room string, value []byte) {
	room = fmt.Sprint("room-", i%100)
	return room, fmt.Appendf(nil, `{"id":"%08x-7c1d-4a2b","event":"chat","room":%q,"user":"ada","time":%d,"args":["%0100d"]}`,
		i, room, time.Now().UnixMilli(), i)
}

// BenchmarkArchive has `belfry archive` bring messages of 200 bytes that wait into a
// partitioned table, and compares with a COPY of the same rows into the same table,
// emptied, in the same run.
func BenchmarkArchive(b *testing.B) {
	b.Run("redis", func(b *testing.B) {
		for range b.N {
			server := redistest.Start(b)
			for i := range *rows {
				_, value := message(i)
				var m map[string]any
				must(b, json.Unmarshal(value, &m))
				args, err := json.Marshal(m["args"])
				must(b, err)
				server.Must("XADD", "S", "*", "id", m["id"].(string), "event", "chat", "room", m["room"].(string), "user", "ada",
					"time", fmt.Sprint(int64(m["time"].(float64))), "args", string(args))
			}
			archiveAll(b, "--redis", server.URL(), "--stream", "S")
		}
	})
	b.Run("kafka", func(b *testing.B) {
		for range b.N {
			broker := bed.Broker(b)
			topic := broker.Topic(b, 4)
			broker.Create(b, topic+".dead", 1)
			client := broker.Client(b)
			for i := range *rows {
				room, value := message(i)
				client.Produce(b.Context(), &kgo.Record{Topic: topic, Key: []byte(room), Value: value}, func(_ *kgo.Record, err error) {
					if err != nil {
						b.Error(err)
					}
				})
			}
			must(b, client.Flush(b.Context()))
			archiveAll(b, "--kafka", "kafka://"+broker.Addr(), "--topic", topic)
		}
	})
}

func archiveAll(b *testing.B, source ...string) {
	b.Helper()
	server := postgrestest.Start(b, flushed...)
	url := server.Database(b)
	a := startArchive(b, append(source, "--postgres", url)...)
	first := 0
	until(b, "the first rows", func() bool { first = a.rows(); return first > 0 })
	begun, other := time.Now(), busy(b)
	before, _ := usage(b, a.pid)
	until(b, "all rows", func() bool { return a.rows() >= *rows })
	took, written := time.Since(begun), *rows-first
	after, rss := usage(b, a.pid)
	all := busy(b) - other
	b.ReportMetric(0, "ns/op")
	if written < *rows/2 {
		b.Fatalf("%d rows were written before the measurement: give more by -rows", first)
	}
	rate := float64(written) / took.Seconds()
	b.ReportMetric(rate, "rows/s")
	b.ReportMetric(float64((after-before).Microseconds())/float64(written), "archive-cpu-µs/row")
	b.ReportMetric(float64(rss)/(1<<20), "archive-MiB")
	b.ReportMetric(100*all.Seconds()/took.Seconds()/2, "machine-%")
	bare := copyAll(b, url)
	b.ReportMetric(bare, "copy-rows/s")
	b.ReportMetric(rate/bare, "of-copy")
}

// columns are those that the archive writes.
const columns = "id, time, namespace, room, event, args, text, sender, socket, key, log_offset"

// copyAll empties the table and copies what it had into it, in rows per second.
func copyAll(b *testing.B, url string) float64 {
	b.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, url)
	must(b, err)
	defer func() { _ = conn.Close(ctx) }()
	var text bytes.Buffer
	_, err = conn.PgConn().CopyTo(ctx, &text, "COPY (SELECT "+columns+" FROM messages) TO STDOUT")
	must(b, err)
	if n := strings.Count(text.String(), "\n"); n != *rows {
		b.Errorf("the table has %d rows, want %d", n, *rows)
	}
	for _, sql := range []string{"TRUNCATE messages", "CHECKPOINT"} {
		_, err = conn.Exec(ctx, sql)
		must(b, err)
	}
	begun := time.Now()
	_, err = conn.PgConn().CopyFrom(ctx, &text, "COPY messages ("+columns+") FROM STDIN")
	must(b, err)
	return float64(*rows) / time.Since(begun).Seconds()
}
