package bench

import "time"

// clusterNodes is the least number of processes in the cases of a cluster.
const clusterNodes = 2

// clusterCases returns the cases of several processes. Where senders are apart,
// each message crosses from one process to another.
func clusterCases() []benchCase {
	all := []benchCase{
		{
			name: "cluster-rooms", opts: Options{Mode: Rooms, Clients: 10_000, Rooms: 2000, Rate: 2000},
			metrics: append(withRedis(metric{title: "2,000 rooms of 5 over all nodes, 2,000 messages/s: CPU s of all nodes per million deliveries", decimals: 1, value: cpuPerMillion}),
				metric{title: "… Redis, MiB RSS", decimals: 1, value: redisRSS}),
		},
		{
			name: "cluster-saturate", opts: Options{Mode: Fanout, Clients: 1000, Saturate: true},
			metrics: append([]metric{
				{title: "room of 1,000 over all nodes: most deliveries/s", value: perSecond},
				{title: "… p99 latency there, ms", decimals: 1, value: p99},
			}, withRedis(metric{title: "… CPU s of all nodes per million deliveries there", decimals: 2, value: cpuPerMillion})...),
		},
		{
			name: "cluster-latency", opts: Options{Mode: Fanout, Clients: 5, Rate: 100, Drain: -1, Apart: true, Duration: 20 * time.Second},
			metrics: []metric{
				{title: "from one node to 4 clients on another, 100 messages/s: p50, ms", decimals: 2, value: p50},
				{title: "… p99, ms", decimals: 2, value: p99},
				{title: "… round trip to Redis beside it, p50, ms", decimals: 2, value: roundTrip},
				{title: "… p50 less that round trip, ms", decimals: 2, value: overRoundTrip},
			},
		},
		{
			name: "cluster-publish", opts: Options{Mode: Fanout, Clients: 17, Publishers: 16, Saturate: true, Apart: true},
			metrics: append([]metric{
				{title: "16 senders on one node, a client on another: most messages/s", value: perSecond},
				{title: "… p99 latency there, ms", decimals: 1, value: p99},
			}, withRedis(metric{title: "… CPU s of both nodes per million messages there", decimals: 1, value: cpuPerMillion})...),
		},
		httpCase(),
		{
			name: "cluster-return", opts: Options{Mode: Return, Clients: 2100, Rooms: 100, Rate: 100},
			metrics: []metric{
				{title: "2,000 clients whose node is killed, 100 messages/s to 100 rooms: s until all have their session and what they missed", decimals: 2, value: returnTime},
				{title: "… not back", value: returnedNot},
				{title: "… back without their session", value: returnedWithout},
				{title: "… messages lost for good", value: returnLost},
				{title: "… p99 from the break until a client is back, ms", decimals: 0, value: returnP99},
				{title: "… Redis commands per client, those in scripts too", decimals: 1, value: returnCommands},
				{title: "… CPU s of Redis", decimals: 2, value: returnRedis},
			},
		},
		{
			name: "cluster-idle", opts: Options{Mode: Idle, Clients: 10_000, Rooms: 10_000, Join: true},
			metrics: []metric{
				{title: "10,000 idle clients, each in a room of its own: memory per client on its node, KiB", decimals: 1, value: memoryPerClient},
				{title: "… in Redis, bytes", value: redisPerClient},
			},
		},
	}
	for i := range all {
		all[i].nodes = clusterNodes
	}
	return all
}

// The clients of cluster-http.
const (
	httpPublishers = 64
	httpListeners  = 10
)

func httpCase() benchCase {
	return benchCase{
		name: "cluster-http", opts: Options{
			Mode: Fanout, Clients: httpPublishers + httpListeners, Publishers: httpPublishers, Saturate: true, WindowMax: 1,
			Step: 8 * time.Second, Drain: -1, Apart: true, HTTP: true,
		},
		metrics: []metric{
			{title: "64 connections that publish by HTTP to a room of 10 on another node: publishes/s", value: publishesPerSecond},
			{title: "… p99 latency there, ms", decimals: 1, value: p99},
			{title: "… CPU µs of the node that takes them, per publish", decimals: 1, value: senderPerPublish},
			{title: "… CPU µs of both nodes, per publish", decimals: 1, value: serversPerPublish},
			{title: "… CPU µs of Redis, per publish", decimals: 1, value: redisPerPublish},
		},
	}
}

func publishesPerSecond(r *Result) *float64 { return per(perSecond(r), httpListeners, 1) }

// perPublish makes µs per publish of seconds for a million deliveries.
func perPublish(perMillion *float64) *float64 { return per(perMillion, 1, httpListeners) }

func serversPerPublish(r *Result) *float64 { return perPublish(cpuPerMillion(r)) }
func redisPerPublish(r *Result) *float64   { return perPublish(redisPerMillion(r)) }

func senderPerPublish(r *Result) *float64 {
	if r.Traffic == nil {
		return nil
	}
	return perPublish(per(r.Traffic.SenderCPU, float64(r.Traffic.Deliveries), 1e6))
}

// withRedis returns a metric of the nodes' CPU with that of Redis behind it.
func withRedis(m metric) []metric {
	return []metric{m, {title: "… CPU s of Redis for that", decimals: 2, value: redisPerMillion}}
}

func p50(r *Result) *float64 {
	if r.Traffic == nil {
		return nil
	}
	return &r.Traffic.Latency.P50
}

func redisPerMillion(r *Result) *float64 {
	if r.Traffic == nil {
		return nil
	}
	return r.Traffic.RedisPerMillion
}

func redisRSS(r *Result) *float64 {
	if r.Redis == nil {
		return nil
	}
	v := mib(r.Redis.RSS)
	return &v
}

func redisPerClient(r *Result) *float64 {
	if r.Redis == nil {
		return nil
	}
	return &r.Redis.PerClient
}

func roundTrip(r *Result) *float64 {
	if r.Traffic == nil || r.Traffic.RoundTrip == nil {
		return nil
	}
	return &r.Traffic.RoundTrip.P50
}

func overRoundTrip(r *Result) *float64 {
	trip := roundTrip(r)
	if trip == nil {
		return nil
	}
	v := r.Traffic.Latency.P50 - *trip
	return &v
}

// returnTime is known only if all came back to what they had.
func returnTime(r *Result) *float64 {
	if b := r.Return; b != nil && b.Recovered == b.Clients && r.Check.Lost == 0 {
		return &b.Seconds
	}
	return nil
}

func returnedNot(r *Result) *float64 {
	return ofReturn(r, func(b *Returned) float64 { return float64(b.Clients - b.Back) })
}

func returnedWithout(r *Result) *float64 {
	return ofReturn(r, func(b *Returned) float64 { return float64(b.Back - b.Recovered) })
}

func returnLost(r *Result) *float64 {
	return ofReturn(r, func(*Returned) float64 { return float64(r.Check.Lost) })
}

func returnP99(r *Result) *float64 {
	return ofReturn(r, func(b *Returned) float64 { return b.Latency.P99 })
}

func ofReturn(r *Result, value func(*Returned) float64) *float64 {
	if r.Return == nil {
		return nil
	}
	v := value(r.Return)
	return &v
}

func returnCommands(r *Result) *float64 {
	if r.Return == nil {
		return nil
	}
	return r.Return.CommandsPerClient
}

func returnRedis(r *Result) *float64 {
	if r.Return == nil || r.Return.Redis == nil {
		return nil
	}
	return &r.Return.Redis.CPU
}
