package bench

import "github.com/spf13/pflag"

// loadFlags declares the flags of a mode. Their defaults are those of Options.
func loadFlags(f *pflag.FlagSet, o *Options) {
	d := Options{Mode: o.Mode, Clients: o.Clients}.withDefaults()
	if o.Mode != Floor {
		f.StringArrayVar(&o.URLs, "url", nil, "server, http://host:port[/path]; repeat for several nodes, clients are spread over them")
		f.StringVar((*string)(&o.Protocol), "protocol", string(d.Protocol), "socketio, or centrifuge: the JSON protocol of that library")
		f.StringVar(&o.Redis, "redis", "", "host:port of a Redis that the servers share, to measure it, too")
		f.IntSliceVar(&o.PIDs, "pid", nil, "server process to measure, with its descendants; repeat for several")
	}
	f.IntVar(&o.Clients, "clients", d.Clients, "connections")
	f.DurationVar(&o.Duration, "duration", d.Duration, "how long to measure")
	f.DurationVar(&o.Drain, "drain", max(d.Drain, 0), "how long clients let arrivals wait: 0 for true latencies, else the server does not pay for waking them")
	f.IntVar(&o.Workers, "workers", 0, "client processes (default one per 15,000 clients, or per as many as a process may open files)")
	f.IntVar(&o.Concurrency, "concurrency", d.Concurrency, "handshakes under way at a time")
	f.IntVar(&o.Prime, "prime", max(d.Prime, 0), "clients that connect and leave before the others, so that what the server needs once is not counted per client")
	f.Float64Var(&o.ConnectRate, "connect-rate", 0, "connections begun per second (default no bound)")
	f.DurationVar(&o.Timeout, "connect-timeout", d.Timeout, "longest time for one handshake")
	f.Uint64Var(&o.Seed, "seed", d.Seed, "makes the payloads")
	if o.Mode == Kafka {
		f.StringVar(&o.Kafka, "kafka", "", "URL of Kafka, kafka://host:port")
		f.StringVar(&o.Topic, "topic", "", "topic that the servers read into rooms: key the room, event msg, args those of the value")
	}
	if o.Mode == Idle {
		f.BoolVar(&o.Join, "join", false, "let the clients join rooms")
		f.IntVar(&o.Rooms, "rooms", d.Rooms, "with --join: rooms, each client in one")
		return
	}
	trafficFlags(f, o, d)
}

// explicitZeros notes where the user said 0, which is a value on the command
// line and means the default in Options.
func explicitZeros(f *pflag.FlagSet, o *Options) {
	if f.Changed("drain") && o.Drain == 0 {
		o.Drain = -1
	}
	if f.Changed("prime") && o.Prime == 0 {
		o.Prime = -1
	}
	if f.Changed("warmup") && o.Warmup == 0 {
		o.Warmup = -1
	}
}

// trafficFlags declares the flags of the modes that send.
func trafficFlags(f *pflag.FlagSet, o *Options, d Options) {
	f.IntVar(&o.Size, "size", d.Size, "bytes of a payload")
	f.DurationVar(&o.Warmup, "warmup", d.Warmup, "how long to send before measuring")
	f.DurationVar(&o.Grace, "grace", d.Grace, "silence after which a message counts as lost")
	if o.Mode == Echo {
		f.Float64Var(&o.Rate, "rate", 0, "requests per second over all clients (default as fast as acks come)")
		f.IntVar(&o.InFlight, "in-flight", d.InFlight, "requests that each client keeps on the way")
		return
	}
	rooms, rate := d.Rooms, d.Rate
	if o.Mode == Rooms || o.Mode == Return || o.Mode == Kafka {
		rooms, rate = 0, 0 // they depend on --clients
	}
	f.IntVar(&o.Rooms, "rooms", rooms, "rooms, each client in one"+roomsDefault(o.Mode))
	f.Float64Var(&o.Rate, "rate", rate, "messages per second over all rooms"+rateDefault(o.Mode))
	if o.Mode == Floor || o.Mode == Kafka {
		return
	}
	f.IntVar(&o.Publishers, "publishers", d.Publishers, "clients of each room that send")
	if o.Mode == Return {
		f.IntVar(&o.Victim, "kill", 0, "process to kill: that of the last --url")
		return
	}
	f.BoolVar(&o.Apart, "apart", false, "have the senders alone on the first --url, and not in their rooms")
	f.BoolVar(&o.HTTP, "http", false, "with --apart: have the senders publish by POST /api/publish")
	f.BoolVar(&o.Saturate, "saturate", false, "send as fast as messages arrive, with more and more on the way, and report the best")
	f.DurationVar(&o.Step, "step", d.Step, "with --saturate: time for each window")
	f.IntVar(&o.WindowMax, "window-max", d.WindowMax, "with --saturate: messages that each sender has on the way at most")
}

func roomsDefault(m Mode) string {
	switch m {
	case Rooms:
		return " (default a fifth of --clients)"
	case Return:
		return " (default one for 21 --clients)"
	}
	return ""
}

func rateDefault(m Mode) string {
	if m == Rooms || m == Return {
		return " (default one per room)"
	}
	return ""
}
