package demo

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/archive/sqlite"
	"github.com/seed-09a96375/belfry/examples/chat"
	"github.com/seed-09a96375/belfry/examples/look"
	"github.com/seed-09a96375/belfry/kafkaconn"
	queuekafka "github.com/seed-09a96375/belfry/queue/kafka"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/source/kafka"
)

// talking is what the nodes of the demo share of examples/chat: where messages wait,
// and where they are kept.
type talking struct {
	queue  belfry.Queue
	source belfry.Source
	store  archive.Store
	kept   string // for the page

	nodes   []*chat.Chat
	readers []*archive.Reader
	ends    []func() error // in reverse order
}

// delay is how far behind the archive of the demo may be.
const delay = 5 * time.Second

// newTalking opens both. After an error nothing is left open.
func newTalking(ctx context.Context, o Options) (*talking, error) {
	d := &talking{}
	if err := errors.Join(d.openStore(ctx, o), d.openQueue(ctx, o)); err != nil {
		return nil, errors.Join(fmt.Errorf("start the chat: %w", err), d.close())
	}
	return d, nil
}

func (d *talking) openStore(ctx context.Context, o Options) error {
	if o.Postgres != "" {
		store, err := postgres.Open(ctx, postgres.Options{URL: o.Postgres, Logger: o.Logger})
		if err != nil {
			return err
		}
		d.ends = append(d.ends, func() error { store.Close(); return nil })
		d.store, d.kept = store, "PostgreSQL"
		return nil
	}
	dir, err := os.MkdirTemp("", "belfry-demo-")
	if err != nil {
		return err
	}
	d.ends = append(d.ends, func() error { return os.RemoveAll(dir) })
	store, err := sqlite.Open(ctx, sqlite.Options{File: filepath.Join(dir, "messages.db"), Logger: o.Logger})
	if err != nil {
		return err
	}
	d.ends = append(d.ends, store.Close)
	d.store, d.kept = store, "SQLite until the demo stops"
	return nil
}

// openQueue opens Kafka, or else a stream of the Redis of the bus if others can read
// what comes out of it, or else a queue in memory.
func (d *talking) openQueue(ctx context.Context, o Options) error {
	way := "a queue in memory"
	var err error
	switch {
	case o.Kafka != "":
		way, err = "Kafka", d.openKafka(o)
	case o.Bus.URL != "" && o.Postgres != "":
		way, err = "a Redis Stream", d.openStream(ctx, o)
	default:
		var queue *memory.Queue
		if queue, err = memory.New(memory.Options{Groups: []string{"archive"}, Logger: o.Logger}); err == nil {
			d.queue, d.source = queue, chat.Source(queue)
		}
	}
	bus := "memory"
	if o.Bus.URL != "" {
		bus = "Redis"
	}
	d.kept = fmt.Sprintf("Messages go by a bus in %s to all nodes, and by %s to %s.", bus, way, d.kept)
	return err
}

func (d *talking) openKafka(o Options) error {
	cluster := kafkaconn.Options{URL: o.Kafka}
	queue, err := queuekafka.New(queuekafka.Options{Kafka: cluster, Topic: chat.Topic, CreateTopic: true, Logger: o.Logger})
	if err != nil {
		return err
	}
	d.ends = append(d.ends, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), delay)
		defer cancel()
		return queue.Close(ctx)
	})
	source, err := kafka.New(kafka.Options{
		Kafka: cluster, Topics: []string{chat.Topic}, Group: "archive", CreateTopics: true, Logger: o.Logger,
	})
	d.queue, d.source = queue, source
	return err
}

func (d *talking) openStream(ctx context.Context, o Options) error {
	conn, err := o.Bus.Connection()
	if err != nil {
		return err
	}
	queue, err := redisstream.New(ctx, redisstream.Options{
		Redis: conn, Name: chat.Topic, Groups: []string{"archive"}, Prefix: o.Bus.Prefix, Logger: o.Logger,
	})
	if err != nil {
		return err
	}
	d.ends = append(d.ends, func() error { queue.Close(); return nil })
	d.queue, d.source = queue, chat.Source(queue)
	return nil
}

//go:embed page
var pageFiles embed.FS

// start serves the chat on a node.
func (d *talking) start(srv *socketio.Server, log *slog.Logger, mux *http.ServeMux) (stop func(), err error) {
	bus, err := srv.Hub().Recovery()
	if err != nil {
		return func() {}, err
	}
	reader, err := archive.NewReader(archive.ReaderOptions{Store: d.store, Log: bus, Delay: delay})
	if err != nil {
		return func() {}, err
	}
	mux.Handle("/chat/", secured(http.StripPrefix("/chat", look.Files(below(pageFiles, "page")))))
	node := chat.New(srv, chat.Options{Queue: d.queue, Archive: reader, Logger: log})
	d.nodes, d.readers = append(d.nodes, node), append(d.readers, reader)
	return node.Close, nil
}

// run archives until ctx ends.
func (d *talking) run(ctx context.Context) error {
	archiver, err := d.nodes[0].Archive(d.source, d.store)
	if err != nil {
		return err
	}
	var all sync.WaitGroup
	for _, r := range d.readers {
		all.Go(func() { r.Run(ctx) })
	}
	all.Go(func() { err = archiver.Run(ctx) })
	all.Wait()
	return err
}

// close closes what newTalking opened. The nodes have been closed.
func (d *talking) close() error {
	var err error
	for i := len(d.ends) - 1; i >= 0; i-- {
		err = cmp.Or(err, d.ends[i]())
	}
	return err
}
