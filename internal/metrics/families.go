package metrics

// What there is. docs/metrics.md is made of it. None is ever changed.
var (
	NodeInfo = newGauge("node_info", "Always 1: which node this is, and of which version.", "", "node", "version")
	Ready    = newGauge("ready", "Whether load balancers should send clients here, 1 or 0, as /healthz/ready says.",
		"0 for a minute: ask /healthz/ready for the reasons. On all nodes at once it is Redis.")

	Clients           = newGauge("clients", "Clients that are connected to this node.", "", "front")
	ClientsLimit      = newGauge("clients_limit", "Clients that this node takes at the most; not there without a bound.", "`sum without (front) (belfry_clients)` near it: add a node, or raise limits.connections or the limit of open files.")
	ClientsTurnedAway = newCounter("clients_turned_away_total", "Clients that found no place here.", "Any: as above.")
	Connects          = newCounter("connects_total",
		"Clients that came: fresh, recovered, lost (they began anew, as what they wanted to go on with is gone) or refused.",
		"`lost` above a few in a hundred: clients are away for longer than recovery, or redis.log_messages is too few. `refused` rising: tokens, or the service behind auth.hook.", "front", "outcome")
	SessionsKept    = newCounter("sessions_kept_total", "Sessions of Socket.IO clients that lost their connection, kept for them.", "")
	SessionsNotKept = newCounter("sessions_not_kept_total", "Those that could not be kept: their clients begin anew.", "Any: Redis was away for longer than recovery.")
	Members         = newGauge("members", "Clients of this node that can be in rooms.", "")
	Rooms           = newGauge("rooms", "Rooms that clients of this node are in.", "Rising without end: something names rooms at random.")

	Published         = newCounter("messages_published_total", "Messages of this node that the cluster has accepted, those between nodes included.", "")
	PublishFailures   = newCounter("publish_failures_total", "Messages that were not accepted: unavailable, in_doubt or failed.", "Rising for a minute: Redis is away, or too slow. Who publishes was told.", "reason")
	PublishDuplicates = newCounter("publish_duplicates_total", "Messages that had the id of an earlier one.", "")
	Received          = newCounter("messages_received_total", "Messages for clients that came to this node.", "")
	Delivered         = newCounter("messages_delivered_total", "Clients that got one of these, one for each message.", "")
	SentBytes         = newCounter("sent_bytes_total", "Bytes written to clients by WebSocket and event streams.", "")
	SentFrames        = newCounter("sent_frames_total", "Frames written to them.", "")
	Writes            = newCounter("writes_total", "Calls into the kernel for that: with many frames to a call the node is under load, and does well.", "")
	WriteInterval     = newGauge("write_interval_seconds", "How long frames are collected now; 0: each is written at once.", "At 0.1 for minutes: this node has no processor left. Add a node.")
	FramesDropped     = newCounter("frames_dropped_total", "Frames that slow clients did not get: volatile, oldest, no_room, or replaced by a newer one of their key.", "", "policy")
	SlowClosed        = newCounter("slow_clients_closed_total", "Clients that read too slowly for too long. They come back.", "Many at once: the network to them, or messages that are too large.")

	BusUp      = newGauge("bus_up", "Whether messages get to the cluster and back, 1 or 0.", "0 for 15 seconds: look at Redis. Clients stay, and get what was missed when it is back.")
	BusRepairs = newCounter("bus_repairs_total", "Times that this node read the log of Redis because something was missing. Nothing was lost.", "Steadily rising: the connection to Redis breaks, or output buffers of Redis are too small.")
	BusLosses  = newCounter("bus_losses_total", "Of these, how often it was not there any more. Clients that can recover were told.", "Any: redis.log_messages is too few for the time that Redis was away, or Redis lost data.")
	BusForeign = newCounter("bus_foreign_messages_total", "What came over channels of the cluster and is none of its messages.", "Any: something else writes there, or nodes have different versions.")

	APIRequests = newVector(counter, "api_requests_total", "Calls of the HTTP API, by the id of the operation in its OpenAPI document.", "`status=~\"5..\"`: the log says why. `status=\"401\"`: a key is wrong.", "operation", "status")
	APITook     = newVector(histogram, "api_request_duration_seconds", "How long they took.", "The 99th percentile of publishes above 0.5: Redis is slow.", "operation")

	RouteEvents = newCounter("route_events_total", "Events of clients, by the event of their route, and what became of them: accepted, forbidden, invalid, unavailable or in_doubt.",
		"`unavailable` or `in_doubt` rising: the queue, topic or bus behind the route. `forbidden` or `invalid`: a client that does not fit.", "route", "outcome")
	RouteAnswers = newCounter("route_answers_total", "Of accepted events whose clients wait for a backend: answered, rejected or timeout.", "`timeout` rising: backends are away, or slower than the timeout of the route.", "route", "outcome")
	Unrouted     = newCounter("events_unrouted_total", "Events that no route takes.", "Rising: a client is newer than the configuration.")

	QueueAppends     = newCounter("queue_appends_total", "Events that this node brought to a queue: appended, duplicate (a repetition, not appended) or failed.", "`failed` rising: Redis is away or full. Who sent was told.", "queue", "outcome")
	QueueLength      = newGauge("queue_length", "Entries of the stream.", "Above alarm.length: a group is not consumed. Nothing is dropped, but Redis fills up.", "queue")
	QueueDead        = newGauge("queue_dead_letters", "Events that no consumer could handle.", "Rising: `belfry queue dead` shows why, `belfry queue replay` puts them back.", "queue")
	QueueDeadDropped = newCounter("queue_dead_letters_dropped_total", "Dead letters that were too many.", "Any: they are lost. Look at dead letters earlier, or raise max_dead.", "queue")
	QueueLag         = newGauge("queue_lag", "Entries that no consumer of the group has got yet; not there if Redis cannot tell.", "Growing: add consumers.", "queue", "group")
	QueuePending     = newGauge("queue_pending", "Entries that consumers have got, and not acknowledged.", "", "queue", "group")
	QueueAge         = newGauge("queue_oldest_age_seconds", "Age of the oldest entry that is not acknowledged; 0: there is none.", "Above what your users wait for: consumers are away, too few, or stuck at one event.", "queue", "group")
	QueueConsumers   = newGauge("queue_consumers", "Consumers that the group knows, also those that died within the hour.", "", "queue", "group")

	TopicAppends      = newCounter("topic_appends_total", "Events that this node brought to a topic of Kafka: appended, duplicate or failed.", "`failed` rising: the brokers are away. Who sent was told.", "topic", "outcome")
	TopicWaiting      = newGauge("topic_waiting", "Events that the brokers have not confirmed yet.", "Growing: the brokers are away, or too slow.", "topic")
	TopicWaitingBytes = newGauge("topic_waiting_bytes", "Their size.", "", "topic")

	WebhookRequests = newVector(counter, "webhook_requests_total", "Requests to a webhook, by the status of their answer; 0: there was none.", "Other than `status=~\"2..\"`: the receiver. Events wait in the queue and are tried again; how long they do says queue_oldest_age_seconds.", "webhook", "status")
	WebhookTook     = newVector(histogram, "webhook_request_duration_seconds", "How long they took.", "", "webhook")

	SourceUp         = newGauge("source_up", "Whether this node can read a source, as far as it has to, 1 or 0.", "0 for a minute: the warnings of /healthz/ready say why.", "source")
	SourceRecords    = newCounter("source_records_total", "Records of a source that this node handled: published, dead (put aside, with the reason) or failed (tried again).", "`dead`: its templates do not fit the record, see its dead letters. `failed` rising: the bus.", "source", "outcome")
	SourceLag        = newGauge("source_lag", "Entries of a Redis Stream that are not published yet.", "Growing: the bus is slower than the source, or `source_up` is 0.", "source")
	SourceAge        = newGauge("source_oldest_age_seconds", "Age of the oldest of them; 0: there is none.", "As above.", "source")
	PartitionLag     = newGauge("source_partition_lag", "Records of a partition that this node has, and has not published yet, as of the last fetch.", "Their sum over all nodes growing: the bus is slower than the topic.", "source", "partition")
	PartitionAge     = newGauge("source_partition_oldest_age_seconds", "Age of the oldest of them that was fetched; 0: there is none.", "As above.", "source", "partition")
	PartitionWaiting = newGauge("source_partition_waiting", "Records of it that wait in the memory of this node. It is bounded.", "", "source", "partition")
	PartitionNext    = newGauge("source_partition_next_offset", "Offset after the last record that is done with; not there before the first.", "", "source", "partition")

	ArchiveUp       = newGauge("archive_up", "Whether the database takes messages, 1 or 0.", "0 for a minute: look at the database. Nothing is lost: messages wait where they are.")
	ArchiveRows     = newCounter("archive_rows_total", "Rows written by this process, also those that were there.", "")
	ArchiveBatches  = newCounter("archive_batches_total", "Batches that they were written in.", "")
	ArchiveDead     = newCounter("archive_dead_letters_total", "Messages that no database keeps, put aside with the reason.", "Any: see archive.md.")
	ArchiveFailures = newCounter("archive_failures_total", "Tries to write that failed.", "")
	ArchiveLag      = newGauge("archive_lag", "Messages that are not rows yet.", "Growing while archive_up is 1: the database is too slow.")
	ArchiveAge      = newGauge("archive_oldest_age_seconds", "Age of the oldest of them; 0: there is none.", "Near archive.delay (10 s): histories are about to have holes at their end.")

	Failures = newCounter("metrics_failures_total", "Times that a part of these metrics could not be asked for in time. Its series are not there then.", "Rising: what it asks is away, or too slow.", "part")
)

// Sections are all families, in the order of the document. Not to be changed.
func Sections() []Section {
	return []Section{
		{"The node", "", []*Family{NodeInfo, Ready}},
		{"Clients", "`front` is `socketio`, `stomp`, `websocket` (plain) or `events` (event streams).", []*Family{
			Clients, ClientsLimit, ClientsTurnedAway, Connects, SessionsKept, SessionsNotKept, Members, Rooms,
		}},
		{"Messages", "", []*Family{
			Published, PublishFailures, PublishDuplicates, Received, Delivered,
			SentBytes, SentFrames, Writes, WriteInterval, FramesDropped, SlowClosed,
		}},
		{"The bus", "Where nodes share a Redis. See [cluster.md](cluster.md).", []*Family{BusUp, BusRepairs, BusLosses, BusForeign}},
		{"The HTTP API", "See [api.md](api.md).", []*Family{APIRequests, APITook}},
		{"Routes", "`route` is the `event` of the route in the configuration. See [routes.md](routes.md).", []*Family{RouteEvents, RouteAnswers, Unrouted}},
		{"Queues", "All but `queue_appends_total` are of the queue, not of the node: each node says the same. Use `max by (queue, group)`. See [queues.md](queues.md).", []*Family{
			QueueAppends, QueueLength, QueueDead, QueueDeadDropped, QueueLag, QueuePending, QueueAge, QueueConsumers,
		}},
		{"Topics of Kafka that routes append to", "See [kafka.md](kafka.md).", []*Family{TopicAppends, TopicWaiting, TopicWaitingBytes}},
		{"Webhooks", "What waits for a webhook, and its dead letters, is in its queue, which has its name if it has one of its own. See [webhooks.md](webhooks.md).", []*Family{WebhookRequests, WebhookTook}},
		{"Sources", "`source_lag` and its age are of the source, not of the node. Those of partitions are of the node that has the partition: the sum over all nodes is that of the topic.", []*Family{
			SourceUp, SourceRecords, SourceLag, SourceAge, PartitionLag, PartitionAge, PartitionWaiting, PartitionNext,
		}},
		{"The archive", "Of `belfry archive`, and of nodes with a route that has `archive: true`. Lag and age are of the source, not of the process. See [archive.md](archive.md).", []*Family{
			ArchiveUp, ArchiveRows, ArchiveBatches, ArchiveDead, ArchiveFailures, ArchiveLag, ArchiveAge,
		}},
		{"The metrics themselves", "", []*Family{Failures}},
	}
}
