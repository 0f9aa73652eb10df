package main

import (
	"context"
	"net/http"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/bus/redis"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/socketio"
)

// world is all servers of the process and what they have in common.
type world struct {
	redis    string // URL; empty: clusters are joined in memory
	clusters map[string]belfry.Bus
	records  *records
	servers  []closer
	fronts   []*http.Server
	buses    []*redis.Bus
}

func newWorld(redisURL string) *world {
	return &world{redis: redisURL, clusters: make(map[string]belfry.Bus), records: newRecords()}
}

// server makes the server of a profile; url is where it will be reached.
func (w *world) server(p profile, url string) (closer, error) {
	if p.Engine {
		return engineio.New(p.engineOptions(), func(s *engineio.Session) engineio.Receiver { return echo{s} })
	}
	o := p.options()
	if p.Cluster != "" {
		var err error
		if o.Bus, err = w.cluster(p.Cluster, p.Recovery != nil); err != nil {
			return nil, err
		}
	}
	if p.Forward {
		o.Advertise = url
	}
	s, err := socketio.New(o)
	if err != nil {
		return nil, err
	}
	contract{s, w.records}.serve()
	return s, nil
}

// cluster returns the bus of that name, over Redis if there is one.
func (w *world) cluster(name string, logged bool) (belfry.Bus, error) {
	if bus := w.clusters[name]; bus != nil {
		return bus, nil
	}
	bus, err := w.newBus(name, logged)
	w.clusters[name] = bus
	return bus, err
}

func (w *world) newBus(name string, logged bool) (belfry.Bus, error) {
	if w.redis == "" {
		var o memory.Options
		if logged {
			o.Log = &memory.Log{}
		}
		return memory.New(o), nil
	}
	bus, err := redis.New(context.Background(), redis.Options{URL: w.redis, Prefix: "interop:" + name + ":"})
	if err != nil {
		return nil, err
	}
	w.buses = append(w.buses, bus)
	return bus, nil
}

// echo sends every Engine.IO message back.
type echo struct{ session *engineio.Session }

func (e echo) Message(data []byte, binary bool) error {
	buf := append(engineio.Buffer(len(data)), data...)
	m := engineio.NewText
	if binary {
		m = func(b []byte, _ [][]byte) *engineio.Message { return engineio.NewBinary(b) }
	}
	return e.session.Send(m(buf, nil), engineio.SendOptions{})
}

func (e echo) Closed(engineio.Reason, error) {}
