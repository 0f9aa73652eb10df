package bench

import (
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
	"github.com/seed-09a96375/belfry/internal/bench/proc"
	"github.com/seed-09a96375/belfry/internal/bench/stamp"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// Mode says what the clients do once they are connected.
type Mode string

const (
	Idle   Mode = "idle"   // nothing but answer heartbeats
	Fanout Mode = "fanout" // listen in few large rooms to which few send
	Rooms  Mode = "rooms"  // listen in many small rooms, each with its sender
	Return Mode = "return" // a server is killed, its clients come back to the others
	Echo   Mode = "echo"   // each sends and waits for the ack with the payload
	Floor  Mode = "floor"  // as Fanout and Rooms, but bare TCP and bare write(2)
	Kafka  Mode = "kafka"  // listen in rooms that records of a topic come to
)

// Options describe one run. The zero value of a field means its default.
type Options struct {
	Mode Mode
	// URLs are the servers, http or ws; clients are spread over them. Unused by
	// Floor, which starts its own server.
	URLs []string
	// Protocol defaults to Socket.IO.
	Protocol dialect.Name
	// Redis is the address, host:port, of a Redis that the servers share and that
	// is measured, too.
	Redis string
	// Kafka is the URL of a cluster, and Topic the one that the servers read into
	// rooms: of each record into the room that is its key, as event msg with the args
	// of its value. For mode Kafka.
	Kafka, Topic string
	// Clients is the number of connections. Default 1000.
	Clients int
	// Rooms is the number of rooms, each client in one. Default 1; with Rooms
	// mode a fifth of Clients, with Return one for 21 clients.
	Rooms int
	// Join has the clients of Idle join their rooms, which others do anyway.
	Join bool
	// Apart has the senders alone on the first of several servers, and not in
	// their rooms. Return does so in any case.
	Apart bool
	// HTTP has the senders publish by HTTP, POST /api/publish, and not as clients.
	// Needs Apart.
	HTTP bool
	// Publishers is the number of senders in each room. Default 1.
	Publishers int
	// Rate is messages per second over all rooms. Default 10; with Rooms mode
	// and Return one per room. With Echo 0 means: as fast as the answers come.
	Rate float64
	// InFlight is how many requests each Echo client keeps on the way when Rate
	// is 0. Default 1.
	InFlight int
	// Saturate sends as fast as messages arrive instead of at Rate, with a window
	// that doubles every Step until that brings no more deliveries. Fanout and
	// Rooms only.
	Saturate bool
	// WindowMax bounds the window of each sender. Default 1024.
	WindowMax int
	// Step is how long one window is measured. Default 3 s.
	Step time.Duration
	// Size is the length of a payload in bytes. Default 128, at least 32.
	Size int
	// Duration is how long is measured, by default 10 s, with Idle 30 s. Warmup
	// goes before, unmeasured, by default 2 s; negative is none.
	Duration, Warmup time.Duration
	// Drain is how long arrivals wait before they are read. The default, 3 ms,
	// keeps the server from paying for waking the clients; latencies then contain
	// it. Negative reads at once, which is the default of Echo.
	Drain time.Duration
	// Workers is the number of processes. Default one per 15,000 clients, or per
	// as many as a process may open files.
	Workers int
	// Concurrency bounds the handshakes under way, over all workers. Default 256.
	Concurrency int
	// Prime is the number of clients that connect and leave before the others, so
	// that what a server needs once is not counted per client. Default 500 with
	// Idle, else none; negative is none.
	Prime int
	// ConnectRate bounds the connections begun per second. 0 is no bound.
	ConnectRate float64
	// Timeout bounds one handshake. Default 30 s.
	Timeout time.Duration
	// Grace is the silence after which what did not arrive is lost. Default 3 s.
	Grace time.Duration
	// PIDs are the server's processes; they and their descendants are measured.
	PIDs []int
	// Victim is the process that Return kills: that of the last of URLs.
	Victim int
	// Seed makes payloads and masks. Default 1.
	Seed uint64
}

const (
	// clientsPerWorker keeps a worker well below the usual limit of descriptors.
	clientsPerWorker = 15_000
	// ownFiles is what a worker opens besides its connections, generously.
	ownFiles = 50
)

// defaultWorkers returns how many processes the clients need.
func defaultWorkers(clients int) int {
	each := min(clientsPerWorker, max(proc.FileLimit()-ownFiles, 1))
	return (clients + each - 1) / each
}

func (o Options) withDefaults() Options {
	o = o.withModeDefaults()
	setDefault(&o.Protocol, dialect.SocketIO)
	setDefault(&o.Clients, 1000)
	setDefault(&o.Rooms, 1)
	setDefault(&o.Publishers, 1)
	setDefault(&o.InFlight, 1)
	setDefault(&o.WindowMax, 1024)
	setDefault(&o.Step, 3*time.Second)
	setDefault(&o.Size, 128)
	setDefault(&o.Duration, 10*time.Second)
	setDefault(&o.Warmup, 2*time.Second)
	setDefault(&o.Drain, 3*time.Millisecond)
	setDefault(&o.Workers, defaultWorkers(o.Clients))
	setDefault(&o.Concurrency, 256)
	setDefault(&o.Timeout, 30*time.Second)
	setDefault(&o.Grace, 3*time.Second)
	setDefault(&o.Seed, 1)
	return o
}

func (o Options) withModeDefaults() Options {
	switch o.Mode {
	case Rooms:
		setDefault(&o.Clients, 10_000)
		setDefault(&o.Rooms, max(o.Clients/5, 1))
		setDefault(&o.Rate, float64(o.Rooms))
	case Return:
		o.Apart = true
		setDefault(&o.Clients, 2100)
		setDefault(&o.Rooms, max(o.Clients/21, 1))
		setDefault(&o.Rate, float64(o.Rooms))
		setDefault(&o.Duration, 5*time.Second)
	case Echo:
		setDefault(&o.Clients, 200)
		setDefault(&o.Drain, -1)
		// Each client is alone in its room and sends to itself.
		o.Rooms, o.Publishers = o.Clients, 1
	case Fanout, Floor:
		setDefault(&o.Rate, 10)
	case Kafka:
		setDefault(&o.Clients, 100)
		setDefault(&o.Rooms, o.Clients)
		setDefault(&o.Rate, 5000)
		setDefault(&o.Drain, -1)
		o.Publishers = 1 // of each room: the producer
	case Idle:
		setDefault(&o.Duration, idleHold)
		setDefault(&o.Prime, 500)
	}
	return o
}

// idleHold is longer than the heartbeat interval of Socket.IO, so that every
// client is pinged.
const idleHold = 30 * time.Second

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Validate names the field, its value and the rule that is broken first.
func (o Options) Validate() error {
	o = o.withDefaults()
	if err := o.plan().Validate(); err != nil {
		return err
	}
	switch {
	case o.Mode != Floor && len(o.URLs) == 0:
		return errors.New("url is empty: want at least one --url")
	case o.Size < stamp.Len:
		return fmt.Errorf("size is %d: want at least %d, the length of what identifies a message", o.Size, stamp.Len)
	case o.Rate < 0:
		return fmt.Errorf("rate is %v: want more than 0", o.Rate)
	case o.InFlight < 1:
		return fmt.Errorf("in-flight is %d: want at least 1", o.InFlight)
	case o.Workers < 1 || o.Workers > o.Clients:
		return fmt.Errorf("workers is %d: want 1 to %d, the number of clients", o.Workers, o.Clients)
	case o.Concurrency < o.Workers:
		return fmt.Errorf("concurrency is %d: want at least one for each of %d workers", o.Concurrency, o.Workers)
	case o.Duration < 0, o.Step < 0, o.WindowMax < 0:
		return errors.New("duration, step and window-max must not be negative")
	}
	if _, err := dialect.New(o.Protocol); err != nil {
		return err
	}
	return o.validateNodes()
}

// validateNodes checks what concerns several servers.
func (o Options) validateNodes() error {
	switch {
	case o.Apart && len(o.URLs) < 2:
		return fmt.Errorf("url is %q: want at least 2, for senders have a server of their own", o.URLs)
	case o.HTTP && !o.Apart:
		return errors.New("http is true: want apart as well, senders by HTTP are not in the rooms")
	case o.Apart && o.Saturate && o.Workers > 1:
		return fmt.Errorf("workers is %d: want 1, senders that are apart saturate from one process only", o.Workers)
	case o.Mode == Kafka && (o.Kafka == "" || o.Topic == ""):
		return errors.New("kafka or topic is empty: want the topic that the servers read")
	case o.Mode == Return && o.Victim <= 0:
		return errors.New("kill is empty: want the process of the last --url")
	case o.Mode == Return && o.Protocol != dialect.SocketIO:
		return fmt.Errorf("protocol is %s: want %s, only there sessions come back", o.Protocol, dialect.SocketIO)
	}
	return nil
}

func (o Options) plan() worker.Plan {
	p := worker.Plan{Clients: o.Clients, Rooms: o.Rooms, Publishers: o.Publishers, Apart: o.Apart}
	if o.Mode == Idle {
		p.Publishers, p.Apart = 0, false
	}
	return p
}
