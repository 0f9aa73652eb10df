package bench

import (
	"time"

	"github.com/seed-09a96375/belfry/internal/bench/check"
	"github.com/seed-09a96375/belfry/internal/bench/proc"
)

// Result is the summary of one run. Its JSON form is stable: fields are added,
// never renamed. Times are seconds, latencies milliseconds, memory bytes, unless
// the name says otherwise. Parts that a mode does not have are absent.
type Result struct {
	Mode     Mode     `json:"mode"`
	Protocol string   `json:"protocol"`
	URLs     []string `json:"urls,omitempty"`
	// Started is when the run began.
	Started time.Time `json:"started"`
	// Partial says that the run was interrupted: the figures are of what was
	// done.
	Partial bool `json:"partial,omitempty"`

	Clients    int     `json:"clients"`
	Rooms      int     `json:"rooms,omitempty"`
	Publishers int     `json:"publishers,omitempty"` // of each room
	Rate       float64 `json:"rate,omitempty"`       // messages per second wanted, over all rooms
	Size       int     `json:"size,omitempty"`       // bytes of a payload
	// DrainMS is how long arrivals may have waited for the client to read them,
	// in milliseconds. Latencies contain it.
	DrainMS float64 `json:"drain_ms"`
	// Apart says that the senders were on a server of their own.
	Apart bool `json:"apart,omitempty"`

	// HTTP says that they published by HTTP.
	HTTP bool `json:"http,omitempty"`

	Connect   Connect      `json:"connect"`
	Hold      *Hold        `json:"hold,omitempty"`
	Traffic   *Traffic     `json:"traffic,omitempty"`
	Steps     []Traffic    `json:"steps,omitempty"` // of a saturation, Traffic is the best
	Return    *Returned    `json:"return,omitempty"`
	Check     check.Tally  `json:"check"`
	Memory    *Memory      `json:"memory,omitempty"`
	Redis     *RedisMemory `json:"redis_memory,omitempty"`
	Generator Generator    `json:"generator"`
}

// Connect is the phase in which the clients connect.
type Connect struct {
	Clients   int     `json:"clients"` // that were connected
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
	// Latency is from the connection attempt until the client may send.
	Latency Latency `json:"latency_ms"`
	// ServerCPU is what the servers used meanwhile; Per1000 that for 1,000
	// connects.
	ServerCPU *float64 `json:"server_cpu,omitempty"`
	Per1000   *float64 `json:"server_cpu_per_1000,omitempty"`
}

func (c *Connect) set(clients int, took time.Duration) {
	c.Clients, c.Seconds = clients, took.Seconds()
	c.PerSecond = float64(clients) / took.Seconds()
}

// Hold is the phase in which idle clients are held.
type Hold struct {
	Seconds   float64  `json:"seconds"`
	ServerCPU *float64 `json:"server_cpu,omitempty"`
}

// Traffic is a time in which messages were sent. Deliveries are arrivals at
// clients; with echo they are acks.
type Traffic struct {
	Seconds float64 `json:"seconds"`
	// Window is how many messages each sender kept on the way; 0 if Rate set the
	// pace.
	Window     int     `json:"window,omitempty"`
	Sent       uint64  `json:"sent,omitempty"` // not known of the floor
	Deliveries uint64  `json:"deliveries"`
	PerSecond  float64 `json:"deliveries_per_second"`
	Latency    Latency `json:"latency_ms"`
	// BehindMS is the largest delay of a sender behind its schedule, in
	// milliseconds. If it is large, the generator was the bottleneck.
	BehindMS float64 `json:"behind_ms"`
	// Stalls counts how often a sender gave up waiting for its messages.
	Stalls uint64 `json:"stalls,omitempty"`
	// ServerCPU is what the servers used meanwhile; PerMillion that for a million
	// deliveries.
	ServerCPU  *float64 `json:"server_cpu,omitempty"`
	PerMillion *float64 `json:"server_cpu_per_million,omitempty"`
	// SenderCPU is that part of ServerCPU which the first server used: with Apart
	// the one that the senders are on.
	SenderCPU *float64 `json:"sender_cpu,omitempty"`
	// Redis is what the Redis of the servers did meanwhile, which is not in
	// ServerCPU; RedisPerMillion its CPU for a million deliveries.
	Redis           *RedisWork `json:"redis,omitempty"`
	RedisPerMillion *float64   `json:"redis_cpu_per_million,omitempty"`
	// RoundTrip is how long a PING of that Redis took meanwhile. It is measured
	// with true latencies only, where DrainMS is 0.
	RoundTrip *Latency `json:"redis_round_trip_ms,omitempty"`
	// GeneratorCPU is what the clients used meanwhile.
	GeneratorCPU float64 `json:"generator_cpu"`
	// OthersCPU is what neither the servers and the Redis that are measured nor
	// the clients used of this machine meanwhile, in parts of the whole machine, 0 to 1. If it
	// is not small, the figures are not to be trusted.
	OthersCPU float64 `json:"others_cpu_share"`
}

// Latency is a distribution in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

// Memory is what the servers held, in bytes.
type Memory struct {
	Before    int64 `json:"before"`    // before the first client
	Connected int64 `json:"connected"` // when all were connected
	End       int64 `json:"end"`       // at the end of the measurement
	// PerClient is (End-Before)/clients.
	PerClient float64 `json:"per_client"`
}

// Returned is what became of the clients of a server that was killed.
type Returned struct {
	Clients   int `json:"clients"`   // that it had
	Back      int `json:"back"`      // that were connected again in time
	Recovered int `json:"recovered"` // of those, with their old session
	// BackSeconds is from the kill until the last of Back was connected; Seconds
	// until the last of them also had what was sent before.
	BackSeconds float64 `json:"back_seconds"`
	Seconds     float64 `json:"seconds"`
	// Latency is from the break of a connection until its client was back.
	Latency Latency `json:"latency_ms"`
	// Redis is what the Redis of the servers did until all were back, the
	// messages that were sent meanwhile included; CommandsPerClient its commands
	// for each of Back.
	Redis             *RedisWork `json:"redis,omitempty"`
	CommandsPerClient *float64   `json:"redis_commands_per_client,omitempty"`
}

// RedisWork is what a Redis did for a while.
type RedisWork struct {
	CPU      float64          `json:"cpu"`      // seconds
	Commands map[string]int64 `json:"commands"` // calls, those from scripts too
}

// calls returns how many commands there were.
func (w *RedisWork) calls() (sum float64) {
	for _, n := range w.Commands {
		sum += float64(n)
	}
	return sum
}

// RedisMemory is what a Redis held, in bytes.
type RedisMemory struct {
	Before int64 `json:"before"` // allocated before the first client
	End    int64 `json:"end"`    // allocated at the end of the measurement
	RSS    int64 `json:"rss"`    // had from the system then
	// PerClient is (End-Before)/clients.
	PerClient float64 `json:"per_client"`
}

// Generator is what the benchmark itself used.
type Generator struct {
	Workers int     `json:"workers"`
	CPU     float64 `json:"cpu"` // seconds, all processes, whole run
	RSS     int64   `json:"rss"` // bytes, of the workers at the end
}

// seconds converts nanoseconds.
func seconds(ns int64) float64 { return time.Duration(ns).Seconds() }

// cpuBetween returns the CPU seconds between two snapshots, nil if nothing is
// measured.
func cpuBetween(a, b proc.Snapshot) *float64 {
	if a == nil || b == nil {
		return nil
	}
	s := seconds(b.CPUSince(a))
	return &s
}

// per divides by n and multiplies by unit; nil stays nil.
func per(v *float64, n, unit float64) *float64 {
	if v == nil || n == 0 {
		return nil
	}
	r := *v / n * unit
	return &r
}
