package bench

import (
	"strings"
	"testing"
	"time"
)

func TestDefaults(t *testing.T) {
	for _, c := range []struct {
		in   Options
		want func(Options) bool
	}{
		{Options{Mode: Idle}, func(o Options) bool {
			return o.Clients == 1000 && o.Duration == 30*time.Second && o.Prime == 500 && o.plan().Sources() == 0
		}},
		{Options{Mode: Fanout}, func(o Options) bool {
			return o.Rooms == 1 && o.Rate == 10 && o.Drain == 3*time.Millisecond && o.plan().Sources() == 1
		}},
		{Options{Mode: Rooms}, func(o Options) bool { return o.Clients == 10_000 && o.Rooms == 2000 && o.Rate == 2000 }},
		{Options{Mode: Rooms, Clients: 3}, func(o Options) bool { return o.Rooms == 1 }},
		{Options{Mode: Echo}, func(o Options) bool {
			return o.Clients == 200 && o.Rooms == 200 && o.Rate == 0 && o.InFlight == 1 && o.Drain < 0
		}},
		{Options{Mode: Return}, func(o Options) bool {
			return o.Clients == 2100 && o.Rooms == 100 && o.Rate == 100 && o.Apart && o.plan().Apart
		}},
		{Options{Mode: Idle, Clients: 15_001}, func(o Options) bool { return o.Workers == 2 }},
	} {
		if got := c.in.withDefaults(); !c.want(got) {
			t.Errorf("%+v becomes %+v", c.in, got)
		}
	}
}

func TestValidateNamesFieldValueAndRule(t *testing.T) {
	good := Options{Mode: Fanout, URLs: []string{"http://127.0.0.1"}}
	if err := good.Validate(); err != nil {
		t.Errorf("defaults: %v", err)
	}
	for want, change := range map[string]func(*Options){
		"url is empty":         func(o *Options) { o.URLs = nil },
		"size is 31":           func(o *Options) { o.Size = 31 },
		"rate is -1":           func(o *Options) { o.Rate = -1 },
		"in-flight is -1":      func(o *Options) { o.InFlight = -1 },
		"clients is -5":        func(o *Options) { o.Clients, o.Workers = -5, -6 },
		"rooms is 1001":        func(o *Options) { o.Rooms = 1001 },
		"publishers is 1001":   func(o *Options) { o.Publishers = 1001 },
		"workers is 1001":      func(o *Options) { o.Workers, o.Concurrency = 1001, 2000 },
		"concurrency is 1":     func(o *Options) { o.Workers, o.Concurrency = 2, 1 },
		`protocol "stomp"`:     func(o *Options) { o.Protocol = "stomp" },
		"must not be negative": func(o *Options) { o.Step = -1 },
		"want at least 2":      func(o *Options) { o.Apart = true },
		"workers is 2: want 1,": func(o *Options) {
			o.Apart, o.Saturate, o.Workers, o.URLs = true, true, 2, []string{"http://a", "http://b"}
		},
		"kill is empty": func(o *Options) { o.Mode, o.URLs = Return, []string{"http://a", "http://b"} },
		"protocol is centrifuge": func(o *Options) {
			o.Mode, o.Victim, o.Protocol, o.URLs = Return, 1, "centrifuge", []string{"http://a", "http://b"}
		},
		"want http://host:port": func(o *Options) { o.URLs = []string{"127.0.0.1:3000"} },
	} {
		o := good
		change(&o)
		err := o.Validate()
		if want == "want http://host:port" && err == nil {
			_, err = resolve(t.Context(), o.URLs, o.Protocol)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestResolve(t *testing.T) {
	got, err := resolve(t.Context(), []string{"http://127.0.0.1:3000", "ws://[::1]:1/x/"}, "socketio")
	if err != nil {
		t.Fatal(err)
	}
	if a := got[0]; a.Addr != "127.0.0.1:3000" || a.Host != "127.0.0.1:3000" || a.Path != "/socket.io/?EIO=4&transport=websocket" {
		t.Errorf("%+v", a)
	}
	if b := got[1]; b.Addr != "[::1]:1" || !strings.HasPrefix(b.Path, "/x/?") {
		t.Errorf("%+v", b)
	}
}

func TestPickCases(t *testing.T) {
	for _, c := range []struct {
		nodes int
		names []string
		want  string
	}{
		{1, nil, "idle fanout-1k fanout-10k rooms saturate-1k saturate-10k echo-1 echo-16"},
		{2, nil, "cluster-rooms cluster-saturate cluster-latency cluster-publish cluster-http cluster-return cluster-idle"},
		{1, []string{"cluster-idle", "rooms"}, "rooms cluster-idle"},
		{3, []string{"idle-19k"}, "idle-19k"},
	} {
		picked, err := pickCases(c.names, c.nodes)
		var names []string
		for _, k := range picked {
			names = append(names, k.name)
		}
		if got := strings.Join(names, " "); err != nil || got != c.want {
			t.Errorf("%v with %d nodes: %v, %s; want %s", c.names, c.nodes, err, got, c.want)
		}
	}
}

// TestScaleLeavesAListener: however small a case is made, somebody hears.
func TestScaleLeavesAListener(t *testing.T) {
	for _, k := range clusterCases() {
		o := tuning{}.apply(k.opts, 0.001)
		o.URLs, o.Victim = []string{"http://a", "http://b"}, 1
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", k.name, err)
		}
	}
}
