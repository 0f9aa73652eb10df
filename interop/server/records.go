package main

import (
	"encoding/hex"
	"sync"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// records is what the server remembers of every socket that connected.
type records struct {
	mu      sync.Mutex
	sockets map[belfry.SocketID]*record
	tries   map[string]int
}

// record is one socket's: the events that reached the application, each with its
// arguments, and why it left.
type record struct {
	Events []any            `json:"events"`
	Reason *socketio.Reason `json:"reason"`
}

func newRecords() *records {
	return &records{sockets: make(map[belfry.SocketID]*record), tries: make(map[string]int)}
}

func (r *records) connected(s *socketio.Socket) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sockets[s.ID()] = &record{Events: []any{}}
}

func (r *records) received(s *socketio.Socket, event string, args socketio.Args) {
	all := []any{event}
	for i := range args.Len() {
		var v any
		if args.Decode(skip(i, &v)...) == nil {
			all = append(all, hexed(v))
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sockets[s.ID()].Events = append(r.sockets[s.ID()].Events, all)
}

// skip makes Decode ignore n arguments and decode the next into v.
func skip(n int, v any) []any {
	vs := make([]any, n, n+1)
	for i := range vs {
		vs[i] = new(any)
	}
	return append(vs, v)
}

func (r *records) left(s *socketio.Socket, why socketio.Reason) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sockets[s.ID()].Reason = &why
}

// of returns a copy of the socket's record, nil if there is none.
func (r *records) of(id belfry.SocketID) *record {
	r.mu.Lock()
	defer r.mu.Unlock()
	rec := r.sockets[id]
	if rec == nil {
		return nil
	}
	return &record{append([]any{}, rec.Events...), rec.Reason}
}

// attempt counts how often id was seen, this time included.
func (r *records) attempt(id string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tries[id]++
	return r.tries[id]
}

// hexed writes binary as {"hex": "..."}.
func hexed(v any) any {
	switch v := v.(type) {
	case []byte:
		return map[string]string{"hex": hex.EncodeToString(v)}
	case []any:
		for i := range v {
			v[i] = hexed(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = hexed(v[k])
		}
	}
	return v
}
