package serve

import (
	"context"
	"errors"
	"net/http"
	"sync/atomic"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/internal/metrics"
	"github.com/seed-09a96375/belfry/poll"
	"github.com/seed-09a96375/belfry/queue/memory"
	"github.com/seed-09a96375/belfry/queue/redisstream"
	"github.com/seed-09a96375/belfry/queue/webhook"
)

// meters are the metrics of a node: what reads its counters when Prometheus asks.
type meters struct {
	handler  http.Handler
	api      *metrics.Requests
	webhooks *metrics.Requests
}

func newMeters(n *node) *meters {
	r := metrics.New(n.log)
	m := &meters{
		handler:  r.Handler(),
		api:      r.Requests(metrics.APIRequests, metrics.APITook),
		webhooks: r.Requests(metrics.WebhookRequests, metrics.WebhookTook),
	}
	r.Add(func(emit metrics.Emit) {
		ready, _ := n.ready()
		emit(metrics.NodeInfo, 1, string(n.o.Node), n.o.Version)
		emit(metrics.Ready, oneIf(ready))
	})
	for _, part := range []func(*fronts, metrics.Emit){
		n.meterClients, n.meterConnects, n.meterMessages, n.meterWrites, n.meterBus, n.meterRoutes, n.meterQueues, n.meterTopics,
		n.meterSources, n.meterArchive,
	} {
		r.Add(func(emit metrics.Emit) {
			if f := n.fronts.Load(); f != nil { // all else of n is there, too
				part(f, emit)
			}
		})
	}
	for name, ask := range map[string]metrics.Question{"queues": n.askQueues, "sources": n.askSources} {
		r.Ask(name, func(ctx context.Context, emit metrics.Emit) error {
			if n.fronts.Load() == nil {
				return nil
			}
			return ask(ctx, emit)
		})
	}
	return m
}

func oneIf(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// webhook counts a request of a webhook.
func (m *meters) webhook(t webhook.Try) { m.webhooks.Count(t.Webhook, t.Status, t.Time) }

func (n *node) meterClients(f *fronts, emit metrics.Emit) {
	emit(metrics.Clients, float64(f.io.Engine().Sessions()), "socketio")
	if f.stomp != nil {
		emit(metrics.Clients, float64(f.stomp.Connections()), "stomp")
	}
	if f.plain != nil {
		streams := f.plain.Stats().Streams
		emit(metrics.Clients, float64(max(f.plain.Connections()-streams, 0)), "websocket")
		emit(metrics.Clients, float64(streams), "events")
	}
	_, most, refused := n.places.Stats()
	if most > 0 {
		emit(metrics.ClientsLimit, float64(most))
	}
	emit(metrics.ClientsTurnedAway, float64(refused))
}

func (n *node) meterConnects(f *fronts, emit metrics.Emit) {
	outcomes := func(front string, fresh, recovered, lost, refused uint64) {
		emit(metrics.Connects, float64(fresh), front, "fresh")
		emit(metrics.Connects, float64(recovered), front, "recovered")
		emit(metrics.Connects, float64(lost), front, "lost")
		emit(metrics.Connects, float64(refused), front, "refused")
	}
	io := f.io.Stats()
	outcomes("socketio", io.Fresh, io.Recovered, io.Lost, io.Refused)
	emit(metrics.SessionsKept, float64(io.Kept))
	emit(metrics.SessionsNotKept, float64(io.NotKept))
	if f.stomp != nil {
		s := f.stomp.Stats()
		outcomes("stomp", s.Connected, 0, 0, s.Refused)
	}
	if f.plain != nil {
		s := f.plain.Stats()
		outcomes("plain", s.Fresh, s.Recovered, s.Lost, s.Refused)
	}
}

func (n *node) meterMessages(f *fronts, emit metrics.Emit) {
	s := f.io.Hub().Stats()
	emit(metrics.Members, float64(s.Members))
	emit(metrics.Rooms, float64(s.Rooms))
	emit(metrics.Published, float64(s.Published))
	emit(metrics.PublishDuplicates, float64(s.Duplicates))
	emit(metrics.PublishFailures, float64(s.Unavailable), "unavailable")
	emit(metrics.PublishFailures, float64(s.InDoubt), "in_doubt")
	emit(metrics.PublishFailures, float64(s.Failed), "failed")
	emit(metrics.Received, float64(s.Received))
	emit(metrics.Delivered, float64(s.Delivered))
}

// meterWrites reads the poller that all fronts share.
func (n *node) meterWrites(f *fronts, emit metrics.Emit) {
	p, ok := f.io.Engine().Poller().(interface{ Stats() poll.Stats })
	if !ok {
		return
	}
	s := p.Stats()
	emit(metrics.SentBytes, float64(s.Bytes))
	emit(metrics.SentFrames, float64(s.Frames))
	emit(metrics.Writes, float64(s.Writes))
	emit(metrics.WriteInterval, s.Interval.Seconds())
	emit(metrics.FramesDropped, float64(s.DroppedVolatile), "volatile")
	emit(metrics.FramesDropped, float64(s.DroppedOldest), "oldest")
	emit(metrics.FramesDropped, float64(s.DroppedOverflow), "no_room")
	emit(metrics.FramesDropped, float64(s.Replaced), "replaced")
	emit(metrics.SlowClosed, float64(s.SlowCloses))
}

func (n *node) meterBus(f *fronts, emit metrics.Emit) {
	up, _ := f.io.Hub().Health()
	emit(metrics.BusUp, oneIf(up))
	if c, counts := f.io.Hub().Counts(); counts {
		emit(metrics.BusRepairs, float64(c.Repairs))
		emit(metrics.BusLosses, float64(c.Losses))
		emit(metrics.BusForeign, float64(c.Foreign))
	}
}

func (n *node) meterRoutes(_ *fronts, emit metrics.Emit) {
	s := n.routes.router.Stats()
	emit(metrics.Unrouted, float64(s.Unrouted))
	for _, r := range s.Routes {
		emit(metrics.RouteEvents, float64(r.Accepted), r.Event, "accepted")
		emit(metrics.RouteEvents, float64(r.Forbidden), r.Event, "forbidden")
		emit(metrics.RouteEvents, float64(r.Invalid), r.Event, "invalid")
		emit(metrics.RouteEvents, float64(r.Unavailable), r.Event, "unavailable")
		emit(metrics.RouteEvents, float64(r.InDoubt), r.Event, "in_doubt")
		emit(metrics.RouteAnswers, float64(r.Answered), r.Event, "answered")
		emit(metrics.RouteAnswers, float64(r.Rejected), r.Event, "rejected")
		emit(metrics.RouteAnswers, float64(r.Timeout), r.Event, "timeout")
	}
}

// counted is a queue of a node, and how much the node has brought to it.
type counted struct {
	queue
	name   string
	redis  *redisstream.Queue // nil: it is in memory
	memory *memory.Queue

	appended, duplicates, failed atomic.Uint64
}

// Append implements belfry.Queue.
func (c *counted) Append(ctx context.Context, e *belfry.Event) error {
	err := c.queue.Append(ctx, e)
	switch {
	case err == nil:
		c.appended.Add(1)
	case errors.Is(err, belfry.ErrDuplicate):
		c.duplicates.Add(1)
	default:
		c.failed.Add(1)
	}
	return err
}

func (n *node) meterQueues(_ *fronts, emit metrics.Emit) {
	for _, q := range n.queues.counted {
		appends(emit, metrics.QueueAppends, q.name, q.appended.Load(), q.duplicates.Load(), q.failed.Load())
		if q.memory == nil {
			continue
		}
		s := q.memory.Stats()
		emit(metrics.QueueLength, float64(s.Length), q.name)
		emit(metrics.QueueDead, float64(s.Dead), q.name)
		for _, g := range s.Groups {
			waits(emit, waiting{q.name, g.Name, int64(g.Lag), int64(g.Pending), g.Oldest.Seconds()})
		}
	}
}

func appends(emit metrics.Emit, f *metrics.Family, of string, appended, duplicates, failed uint64) {
	emit(f, float64(appended), of, "appended")
	emit(f, float64(duplicates), of, "duplicate")
	emit(f, float64(failed), of, "failed")
}

// waiting is what waits for a group.
type waiting struct {
	queue, group string
	lag, pending int64 // lag -1: not known
	oldest       float64
}

// waits gives it, that of the archive by its own names, too.
func waits(emit metrics.Emit, w waiting) {
	if w.lag >= 0 {
		emit(metrics.QueueLag, float64(w.lag), w.queue, w.group)
	}
	emit(metrics.QueuePending, float64(w.pending), w.queue, w.group)
	emit(metrics.QueueAge, w.oldest, w.queue, w.group)
	if w.queue == archiveName && w.group == archiveName {
		emit(metrics.ArchiveLag, float64(max(w.lag, 0)+w.pending))
		emit(metrics.ArchiveAge, w.oldest)
	}
}

// askQueues asks Redis what waits in the queues of the cluster.
func (n *node) askQueues(ctx context.Context, emit metrics.Emit) error {
	var errs []error
	for _, q := range n.queues.counted {
		if q.redis == nil {
			continue
		}
		s, err := q.redis.Stats(ctx)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		emit(metrics.QueueLength, float64(s.Length), q.name)
		emit(metrics.QueueDead, float64(s.Dead), q.name)
		emit(metrics.QueueDeadDropped, float64(s.Dropped), q.name)
		for _, g := range s.Groups {
			waits(emit, waiting{q.name, g.Name, g.Lag, g.Pending, g.Oldest.Seconds()})
			emit(metrics.QueueConsumers, float64(g.Consumers), q.name, g.Name)
		}
	}
	return errors.Join(errs...)
}

func (n *node) meterTopics(_ *fronts, emit metrics.Emit) {
	for name, q := range n.topics {
		s := q.Stats()
		appends(emit, metrics.TopicAppends, name, s.Appended, s.Duplicates, s.Failed)
		emit(metrics.TopicWaiting, float64(s.Waiting), name)
		emit(metrics.TopicWaitingBytes, float64(s.Bytes), name)
	}
}

func (n *node) meterSources(_ *fronts, emit metrics.Emit) {
	for _, s := range n.sources.all {
		up, _ := s.Health()
		emit(metrics.SourceUp, oneIf(up), s.name)
		emit(metrics.SourceRecords, float64(s.published.Load()), s.name, "published")
		emit(metrics.SourceRecords, float64(s.dead.Load()), s.name, "dead")
		emit(metrics.SourceRecords, float64(s.failed.Load()), s.name, "failed")
		topic, ok := s.source.(topicSource)
		if !ok {
			continue
		}
		for _, p := range topic.Stats().Partitions {
			metrics.EmitPartition(emit, s.name, p)
		}
	}
}

// askSources asks Redis what waits in streams. What waits in topics is known.
func (n *node) askSources(ctx context.Context, emit metrics.Emit) error {
	var errs []error
	for _, s := range n.sources.all {
		reporter, ok := s.source.(belfry.LagReporter)
		if _, topic := s.source.(topicSource); topic || !ok {
			continue
		}
		lag, err := reporter.Lag(ctx)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		emit(metrics.SourceLag, float64(lag.Records), s.name)
		emit(metrics.SourceAge, lag.Age.Seconds(), s.name)
	}
	return errors.Join(errs...)
}

func (n *node) meterArchive(_ *fronts, emit metrics.Emit) {
	if n.archive == nil || n.archive.archiver == nil {
		return
	}
	metrics.EmitArchive(emit, n.archive.archiver.Stats(), n.archive.store.there())
}
