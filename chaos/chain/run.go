package chain

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/seed-09a96375/belfry/chaos/lab"
	"github.com/seed-09a96375/belfry/internal/kafkatest"
	"github.com/seed-09a96375/belfry/internal/postgrestest"
)

// archivers share the work.
const archivers = 2

// run is one experiment.
type run struct {
	Options
	broken bool // the control
	layout layout

	kafka     *kafkatest.Broker
	postgres  *postgrestest.Server
	cluster   *lab.Cluster
	guest     *lab.Node // the node that comes and goes
	archivers []*lab.Child
	clients   *lab.Fleet
	topics    *topics
	feed      *feed
	begun     time.Time
}

// say adds a line to the log of the run: what happened when.
func (r *run) say(format string, args ...any) {
	log, err := os.OpenFile(filepath.Join(r.Dir, "run.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return // it is for people only
	}
	defer log.Close()
	fmt.Fprintf(log, "%6.1f s  %s\n", time.Since(r.begun).Seconds(), fmt.Sprintf(format, args...))
}

func (r *run) start(ctx context.Context) error {
	if err := r.startStores(ctx); err != nil {
		return err
	}
	var key [32]byte
	_, _ = rand.Read(key[:]) // never fails
	secret := hex.EncodeToString(key[:])
	config, err := r.configure("feed")
	if err != nil {
		return err
	}
	node := func(l lab.Launch) []string {
		file := config
		if r.broken {
			file, _ = r.configure(l.Name) // without the file the node does not start, and says so
		}
		return []string{
			"env", "BELFRY_AUTH_SECRET=" + secret, r.Belfry, "serve", "-c", file, "--listen", l.Listen, "--node", l.Name,
			"--redis", l.Redis, "--kafka", r.kafkaURL(), "--drain", "2s", "--drain-delay", "200ms",
		}
	}
	r.cluster, err = lab.Start(ctx, lab.Options{
		Dir: r.Dir, Nginx: r.Nginx, Durable: true, Subject: lab.Subject{Name: "belfry", Promises: true, Command: node},
	})
	if err != nil {
		return err
	}
	if err := r.startArchivers(ctx); err != nil {
		return err
	}
	token, err := r.token(ctx, secret, config)
	if err != nil {
		return err
	}
	r.clients, err = lab.StartScript(r.Dir, r.Script, map[string]any{
		"url": r.cluster.Nginx.URL, "clients": r.layout.clients(token), "each": r.each(),
		"over": r.over().Milliseconds(), "timeout": answerTime.Milliseconds(), "again": againEvery,
	})
	if err != nil {
		return err
	}
	r.say("all is started")
	return r.clients.Until(ctx, func(s lab.Status) bool { return s.Joined == r.Clients })
}

// startStores runs Kafka and PostgreSQL, which take their time, side by side.
func (r *run) startStores(ctx context.Context) (err error) {
	if r.kafka, err = kafkatest.New(r.Dir); err != nil {
		return err
	}
	var starting sync.WaitGroup
	var other error
	starting.Go(func() { other = r.startPostgres() })
	err = r.kafka.Run()
	starting.Wait()
	if err = errors.Join(err, other); err != nil {
		return err
	}
	if r.topics, err = openTopics(r.kafka.Addr()); err != nil {
		return err
	}
	if err := r.topics.create(ctx, events, feedTopic); err != nil {
		return err
	}
	r.feed, err = newFeed(r.kafka.Addr(), r.layout, r.Seed, r.broken)
	return err
}

func (r *run) startPostgres() (err error) {
	if r.postgres, err = postgrestest.New(); err != nil {
		return err
	}
	return r.postgres.Open()
}

func (r *run) kafkaURL() string { return "kafka://" + r.kafka.Addr() }

// configure writes the configuration: that which is deployed, and where the producer's
// records come in. The name of the source is part of the ids of what is published: all
// nodes have to call it the same, and in the control no two do.
func (r *run) configure(source string) (file string, err error) {
	text, err := os.ReadFile(r.Config)
	if err != nil {
		return "", err
	}
	text = append(text, strings.Join([]string{
		"", "sources:",
		"  - name: " + source,
		"    kafka_topic: " + feedTopic,
		`    rooms: ["chat:{payload.args.0.room}"]`,
		`    args: ["{payload.args.0}"]`,
		"",
	}, "\n")...)
	file = filepath.Join(r.Dir, "belfry-"+source+".yaml")
	return file, os.WriteFile(file, text, 0o600)
}

// token is signed by the program that operators have for it.
func (r *run) token(ctx context.Context, secret, config string) (string, error) {
	cmd := exec.CommandContext(ctx, r.Belfry, "token", "--config", config, "--user", "ada", "--expires", "1h")
	cmd.Env = append(os.Environ(), "BELFRY_AUTH_SECRET="+secret, "BELFRY_KAFKA="+r.kafkaURL())
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// startArchivers runs them, once the tables are made.
func (r *run) startArchivers(ctx context.Context) error {
	for i := range archivers {
		a := lab.NewChild(r.Dir, fmt.Sprint("archiver-", i+1), r.Belfry, "archive", "--kafka", r.kafkaURL(),
			"--topic", events, "--topic", feedTopic, "--group", archiveGroup, "--postgres", r.postgres.URL(), "--listen", "")
		r.archivers = append(r.archivers, a)
		if err := a.Start(); err != nil {
			return err
		}
	}
	return lab.Until(ctx, "the archive has no tables", func(ctx context.Context) (bool, error) {
		_, err := r.readRows(ctx)
		if err == nil && r.broken {
			err = r.unkey(ctx)
		}
		return err == nil, err
	})
}

// nameless takes from all partitions that are there the index by which an id is one row.
const nameless = `DO $$
	DECLARE name text;
	BEGIN
		FOR name IN SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_inherits p ON p.inhrelid = i.indrelid
			WHERE p.inhparent = 'messages'::regclass AND i.indisunique
		LOOP
			EXECUTE 'DROP INDEX ' || name;
		END LOOP;
		IF name IS NULL THEN
			RAISE 'there are no partitions yet';
		END IF;
	END $$`

// unkey has the table take the same row twice.
func (r *run) unkey(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, r.postgres.URL())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	_, err = conn.Exec(ctx, nameless)
	return err
}

func (r *run) stop() {
	if r.clients != nil {
		r.clients.Close()
	}
	if r.feed != nil {
		r.feed.close()
	}
	for _, a := range r.archivers {
		a.Kill()
	}
	if r.cluster != nil {
		r.cluster.Close()
	}
	if r.topics != nil {
		r.topics.close()
	}
	if r.kafka != nil {
		r.kafka.Close()
	}
	if r.postgres != nil {
		r.postgres.Close()
	}
}
