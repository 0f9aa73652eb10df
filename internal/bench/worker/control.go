// Package worker is one process of the load generator: it holds thousands of
// connections to the servers under test in one epoll loop, sends, and checks
// what arrives. Its parent tells it what to do by Orders on its standard input
// and reads Reports from its standard output, one JSON value each.
//
//	parent                      worker
//	setup                  →    connects all its clients
//	                       ←    setup {connects}      once all are connected
//	join                   →    its clients join their rooms
//	                       ←    join                  once all joins are acked
//	start                  →    its sources send
//	mark                   →
//	                       ←    mark {what happened since start or the last mark}
//	window                 →    its sources keep another number on the way
//	stop                   →
//	                       ←    stop {what each source sent}
//	returns                →
//	                       ←    returns {how many clients came back}
//	settle {all that was sent} → waits for what is still on the way
//	                       ←    settle {verdict}
//	quit                   →    closes its connections and ends
//	                       ←    progress {counts}, several times a second
//	                       ←    failed {why}, instead of an answer
package worker

import (
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/check"
	"github.com/seed-09a96375/belfry/internal/bench/dialect"
)

// Op names an order, and the report that answers it.
type Op string

const (
	OpSetup    Op = "setup"
	OpJoin     Op = "join"
	OpStart    Op = "start"
	OpMark     Op = "mark"
	OpWindow   Op = "window"
	OpStop     Op = "stop"
	OpReturns  Op = "returns"
	OpSettle   Op = "settle"
	OpQuit     Op = "quit"
	OpProgress Op = "progress" // report only
	OpFailed   Op = "failed"   // report only
)

// Order is one line from the parent.
type Order struct {
	Op    Op     `json:"op"`
	Setup *Setup `json:"setup,omitempty"`
	// At is when to start: see stamp.Clock.
	At int64 `json:"at,omitempty"`
	// Window is the number of messages that each source keeps on the way, with
	// OpStart and OpWindow; 0 if the schedule of Setup.Rate says when to send.
	Window int `json:"window,omitempty"`
	// Sent is how many messages each source sent, with OpSettle.
	Sent []uint32 `json:"sent,omitempty"`
}

// PublishKey is the API key that sources show which publish by HTTP: a server that is
// measured has to want it.
const PublishKey = "a-key-for-benchmarks-only-32-bytes"

// Setup is all that a worker has to know about its run.
type Setup struct {
	Plan Plan `json:"plan"`
	// First and End bound the clients of this worker.
	First int `json:"first"`
	End   int `json:"end"`
	// Targets are the servers; Plan says who connects to which.
	Targets []Target `json:"targets"`
	// Protocol is what to speak; ignored with Floor.
	Protocol dialect.Name `json:"protocol"`
	// Floor leaves handshake and requests out: the peer is the floor server,
	// which sends frames to bare TCP connections.
	Floor bool `json:"floor,omitempty"`
	// Echo has the sources ask for their payload back instead of sending it to
	// their room.
	Echo bool `json:"echo,omitempty"`
	// HTTP has the sources publish by POST requests, one connection each, instead of
	// being clients of the protocol. They are apart: see Plan.
	HTTP bool `json:"http,omitempty"`
	// Kafka is the URL of a cluster to whose Topic the producer sends, in the place of
	// sources among the clients. Empty: there is none.
	Kafka string `json:"kafka,omitempty"`
	Topic string `json:"topic,omitempty"`
	// Return has clients whose connection breaks come back at once, to the next
	// target, and claim their session.
	Return bool `json:"return,omitempty"`
	// RoomPrefix begins the names of the rooms.
	RoomPrefix string `json:"room_prefix"`
	// Rate is messages per second over all sources of all workers.
	Rate float64 `json:"rate,omitempty"`
	// Size is the length of a payload in bytes, at least stamp.Len.
	Size int `json:"size"`
	// Drain is how long arrivals may wait in the kernel before they are read, so
	// that the sender does not pay for waking the receiver; 0 reads at once.
	Drain time.Duration `json:"drain"`
	// Concurrency bounds the handshakes, and later the joins, under way.
	Concurrency int `json:"concurrency"`
	// ConnectRate bounds the connection attempts per second; 0 is no bound.
	ConnectRate float64 `json:"connect_rate,omitempty"`
	// Timeout bounds one handshake, and the wait for the last joins.
	Timeout time.Duration `json:"timeout"`
	// Grace is the silence after which what did not arrive is lost.
	Grace time.Duration `json:"grace"`
	// Seed makes the filling of payloads and the masking keys.
	Seed uint64 `json:"seed"`
}

// Target is one server.
type Target struct {
	// Addr is the IP address and port to connect to.
	Addr string `json:"addr"`
	// Host is the value of the Host header.
	Host string `json:"host"`
	// Path is the request target, with its query.
	Path string `json:"path"`
}

// Report is one line to the parent.
type Report struct {
	Op       Op           `json:"op"`
	Progress *Progress    `json:"progress,omitempty"`
	Mark     *Mark        `json:"mark,omitempty"`
	Returns  *Returns     `json:"returns,omitempty"`
	Sent     []SourceSent `json:"sent,omitempty"`
	Tally    *check.Tally `json:"tally,omitempty"`
	Fault    *Fault       `json:"fault,omitempty"`
	// Addr is where the floor server listens.
	Addr string `json:"addr,omitempty"`
}

// Progress is how far a worker is.
type Progress struct {
	Connected int    `json:"connected"`
	Joined    int    `json:"joined"`
	Sent      uint64 `json:"sent"`
	Arrived   uint64 `json:"arrived"`
	Lost      int    `json:"lost_connections"`
}

// Mark is what happened since the last one.
type Mark struct {
	// Nanoseconds is how long ago that was.
	Nanoseconds int64 `json:"ns"`
	// Sent counts messages sent, Arrived deliveries or answers.
	Sent    uint64 `json:"sent"`
	Arrived uint64 `json:"arrived"`
	// Latency is an HdrHistogram, V2 compressed and base64 coded, of
	// microseconds: from sending to arrival, in the answer to OpSetup from the
	// connection attempt to readiness.
	Latency []byte `json:"latency"`
	// Behind is the largest delay of a sender behind its schedule, in
	// nanoseconds: a large one says that the generator was too slow.
	Behind int64 `json:"behind"`
	// Stalls counts how often a source had its window full for StallAfter and
	// began anew.
	Stalls uint64 `json:"stalls"`
	// CPU is what the worker has used since it began, RSS what it holds.
	CPU int64 `json:"cpu"`
	RSS int64 `json:"rss"`
	// Lost counts connections lost since the worker began.
	Lost int `json:"lost_connections"`
}

// Returns is what became of clients whose connection broke, since the worker
// began.
type Returns struct {
	// Lost clients lost their connection; Back have one again, and Recovered of
	// those their old session.
	Lost      int `json:"lost"`
	Back      int `json:"back"`
	Recovered int `json:"recovered"`
	// LastBack is when the last of Back came, LastWhole when the last of them had
	// what was sent before it was back: see stamp.Clock.
	LastBack  int64 `json:"last_back"`
	LastWhole int64 `json:"last_whole"`
	// Latency is as in Mark, from the break of a connection until its client is
	// back.
	Latency []byte `json:"latency"`
}

// SourceSent is how many messages one source sent.
type SourceSent struct {
	Source int    `json:"source"`
	Sent   uint32 `json:"sent"`
}

// StallAfter is how long a source waits for its messages to arrive before it
// gives them up and sends on.
const StallAfter = 2 * time.Second

// Fault is an error for the terminal.
type Fault struct {
	Text   string `json:"text"`             // what is wrong
	Advice string `json:"advice,omitempty"` // what to do about it
}

// Error returns what is wrong.
func (f *Fault) Error() string { return f.Text }

// Hint returns what to do about it, empty if nothing is known.
func (f *Fault) Hint() string { return f.Advice }
