//go:build unix

package cli_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
)

// TestArchiveScripts runs the scripts of testdata/archive, with a Redis at the URL REDIS.
// Besides the usual commands there are
//
//	redisdo WORD...          sends a command to Redis
//	postgres start           starts a database server; POSTGRES is the URL of an empty database
//	postgres kill|run        ends the server, and starts it again
//	kafka start              starts a broker; KAFKA is its URL, TOPIC a topic of it
//	produce FROM TO          produces messages m<FROM> to m<TO>, the last not included
//	sql QUERY [text]         waits until the first value that the database answers is the text
func TestArchiveScripts(t *testing.T) {
	redis := redistest.Start(t)
	var bed kafkatest.Bed
	t.Cleanup(bed.Close)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/archive",
		RequireExplicitExec: true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("HOST", "127.0.0.1")
			e.Setenv("PORT", redistest.FreePort(t))
			e.Setenv("REDIS", redis.URL())
			e.Values["postgres"] = &postgresOf{t: t}
			e.Values["kafka"] = &kafkaOf{t: t, bed: &bed}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fetch": fetch,
			"redisdo": func(_ *testscript.TestScript, _ bool, words []string) {
				redis.Must(words...)
			},
			"sql": sql,
			"kafka": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Value("kafka").(*kafkaOf).start(ts)
			},
			"produce": func(ts *testscript.TestScript, _ bool, words []string) {
				ts.Value("kafka").(*kafkaOf).produce(ts, words)
			},
			"postgres": func(ts *testscript.TestScript, _ bool, words []string) {
				ts.Value("postgres").(*postgresOf).do(ts, strings.Join(words, " "))
			},
		},
	})
}

// postgresOf is the database server of a script.
type postgresOf struct {
	t      *testing.T
	server *postgrestest.Server
}

func (p *postgresOf) do(ts *testscript.TestScript, what string) {
	switch {
	case what == "start":
		p.server = postgrestest.Start(p.t)
		ts.Setenv("POSTGRES", p.server.Database(p.t))
	case what == "kill" && p.server != nil:
		p.server.Kill()
	case what == "run" && p.server != nil:
		p.server.Run(p.t)
	default:
		ts.Fatalf("usage: postgres start|kill|run")
	}
}

// kafkaOf is the topic of a script.
type kafkaOf struct {
	t      *testing.T
	bed    *kafkatest.Bed
	broker *kafkatest.Broker
	topic  string
}

func (k *kafkaOf) start(ts *testscript.TestScript) {
	k.broker = k.bed.Broker(k.t)
	k.topic = k.broker.Topic(k.t, 3)
	ts.Setenv("KAFKA", "kafka://"+k.broker.Addr())
	ts.Setenv("TOPIC", k.topic)
}

func (k *kafkaOf) produce(ts *testscript.TestScript, words []string) {
	var from, to int
	if _, err := fmt.Sscan(strings.Join(words, " "), &from, &to); err != nil || k.broker == nil {
		ts.Fatalf("usage: produce FROM TO, after kafka start")
	}
	records := make([]*kgo.Record, 0, to-from)
	for n := from; n < to; n++ {
		value := fmt.Sprintf(`{"id":"m%d","event":"chat","room":"room-%d","args":[%d],"time":%d}`, n, n%7, n, 1_790_000_000_000+n)
		records = append(records, &kgo.Record{Topic: k.topic, Key: fmt.Append(nil, n%7), Value: []byte(value)})
	}
	k.broker.Produce(k.t, records...)
}

func sql(ts *testscript.TestScript, neg bool, words []string) {
	if neg || len(words) < 1 || len(words) > 2 {
		ts.Fatalf("usage: sql QUERY [text]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for next := time.NewTicker(50 * time.Millisecond); ; {
		got, err := firstValue(ctx, ts.Getenv("POSTGRES"), words[0])
		if len(words) == 1 && err == nil || len(words) == 2 && got == words[1] {
			return
		}
		select {
		case <-next.C:
		case <-ctx.Done():
			ts.Fatalf("%s: %s %v", words[0], got, err)
		}
	}
}

func firstValue(ctx context.Context, url, query string) (string, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = conn.Close(ctx) }()
	var v any
	if err := conn.QueryRow(ctx, query).Scan(&v); err != nil {
		return "", err
	}
	return fmt.Sprint(v), nil
}
