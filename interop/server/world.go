package main

import (
	"net/http"

	"github.com/seed-09a96375/belfry/bus/memory"
	"github.com/seed-09a96375/belfry/engineio"
	"github.com/seed-09a96375/belfry/socketio"
)

// world is all servers of the process and what they have in common.
type world struct {
	clusters map[string]*memory.Bus
	records  *records
	servers  []closer
	fronts   []*http.Server
}

func newWorld() *world {
	return &world{clusters: make(map[string]*memory.Bus), records: newRecords()}
}

func (w *world) server(p profile) (closer, error) {
	if p.Engine {
		return engineio.New(p.engineOptions(), func(s *engineio.Session) engineio.Receiver { return echo{s} })
	}
	o := p.options()
	if p.Cluster != "" {
		o.Bus = w.cluster(p.Cluster)
	}
	s, err := socketio.New(o)
	if err != nil {
		return nil, err
	}
	contract{s, w.records}.serve()
	return s, nil
}

func (w *world) cluster(name string) *memory.Bus {
	if w.clusters[name] == nil {
		w.clusters[name] = memory.New(memory.Options{})
	}
	return w.clusters[name]
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
