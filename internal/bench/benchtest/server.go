// Package benchtest is a server that serves the contract of `belfry bench`, made
// to go wrong on purpose: it loses, doubles and swaps deliveries, answers
// handshakes with nonsense, and counts what it did, so that a test can tell
// whether the load generator noticed. It speaks WebSocket only.
package benchtest

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

// Options of a Server. The zero value is a server that behaves.
type Options struct {
	// Centrifuge speaks that library's protocol instead of Socket.IO.
	Centrifuge bool
	// Deliver says what reaches a client instead of payload: nothing, more, or
	// other payloads. n counts the deliveries to that client from 0. Calls for
	// one client come one at a time.
	Deliver func(client, n int, payload string) []string
	// Answer says what answers the echo number n of a client: acks with these
	// payloads. Calls as for Deliver.
	Answer func(client, n int, payload string) []string
	// Handshake, if set, is sent instead of the answer to each handshake; then
	// the connection is closed.
	Handshake string
	// Greeting, if set, is the first message instead of what the protocol wants.
	Greeting string
	// Welcome, if set, answers the client's Hello instead of what the protocol
	// wants.
	Welcome string
	// Silent servers accept connections and say nothing.
	Silent bool
	// NoJoinAck leaves joins without an answer.
	NoJoinAck bool
	// Split sends every message in two frames, with a ping between them.
	Split bool
	// Recovery gives clients sessions with which they may come back, Socket.IO
	// only.
	Recovery bool
	// Replay says what a client that comes back gets instead of the payloads that
	// it missed. Calls come one at a time.
	Replay func(client int, missed []string) []string
	// Heartbeat sends one heartbeat with each delivery and each answer.
	Heartbeat bool
}

// Server is one running server, or one node of a Cluster.
type Server struct {
	opts    Options
	cluster *cluster
	ln      net.Listener
	done    sync.WaitGroup
	pongs   atomic.Int64
}

// cluster is what the nodes of one server share.
type cluster struct {
	mu      sync.Mutex
	rooms   map[string][]*conn
	conns   map[*conn]bool
	clients int
	// sessions are by their secret.
	sessions map[string]*session
}

// Listen starts the nodes of one server at the addresses, 127.0.0.1:0 for
// instance. They share their rooms.
func Listen(o Options, addrs ...string) ([]*Server, error) {
	shared := &cluster{rooms: map[string][]*conn{}, conns: map[*conn]bool{}, sessions: map[string]*session{}}
	var nodes []*Server
	for _, addr := range addrs {
		ln, err := net.Listen("tcp", addr)
		if err != nil {
			return nil, errors.Join(err, closeAll(nodes))
		}
		s := &Server{opts: o.withDefaults(), cluster: shared, ln: ln}
		s.done.Go(s.serve)
		nodes = append(nodes, s)
	}
	return nodes, nil
}

func closeAll(nodes []*Server) error {
	var errs []error
	for _, s := range nodes {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

func (o Options) withDefaults() Options {
	same := func(_, _ int, payload string) []string { return []string{payload} }
	if o.Deliver == nil {
		o.Deliver = same
	}
	if o.Answer == nil {
		o.Answer = same
	}
	if o.Replay == nil {
		o.Replay = func(_ int, missed []string) []string { return missed }
	}
	return o
}

// URL returns where the server listens.
func (s *Server) URL() string { return "http://" + s.ln.Addr().String() }

// Pongs returns how many heartbeats clients answered, of either kind.
func (s *Server) Pongs() int { return int(s.pongs.Load()) }

// Disconnect closes n connections.
func (s *Server) Disconnect(n int) {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	for c := range s.cluster.conns {
		if n--; n < 0 {
			return
		}
		c.Close()
	}
}

// Kill ends the server and its connections at once; other nodes go on.
func (s *Server) Kill() error {
	err := s.ln.Close()
	s.cluster.mu.Lock()
	for c := range s.cluster.conns {
		if c.server == s {
			c.Close()
		}
	}
	s.cluster.mu.Unlock()
	s.done.Wait()
	return err
}

// Members returns how many times clients of this node have joined a room.
func (s *Server) Members() (n int) {
	s.cluster.mu.Lock()
	defer s.cluster.mu.Unlock()
	for _, members := range s.cluster.rooms {
		for _, c := range members {
			if c.server == s {
				n++
			}
		}
	}
	return n
}

// Close ends the server and all its connections.
func (s *Server) Close() error {
	err := s.ln.Close()
	s.Disconnect(1 << 30)
	s.done.Wait()
	return err
}

func (s *Server) serve() {
	for {
		c, err := s.ln.Accept()
		if err != nil {
			return
		}
		s.done.Go(func() { s.connection(c) })
	}
}

// connection serves one client to its end. What ends it is the client's
// business: the load generator reports what it lost.
func (s *Server) connection(raw net.Conn) {
	c := s.cluster.admit(raw, s)
	defer s.cluster.dismiss(c)
	defer c.Close()
	req, err := http.ReadRequest(c.in)
	if err != nil {
		return
	}
	switch {
	case s.opts.Silent:
		_, _ = c.in.ReadByte() // until the client gives up
		return
	case s.opts.Handshake != "":
		fmt.Fprint(c, s.opts.Handshake)
		return
	}
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		accept(req.Header.Get("Sec-WebSocket-Key")))
	c.talk()
}

func (k *cluster) admit(raw net.Conn, s *Server) *conn {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := &conn{Conn: raw, server: s, in: bufio.NewReader(raw), number: k.clients}
	k.clients++
	k.conns[c] = true
	return c
}

func (k *cluster) dismiss(c *conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.conns, c)
}

func (k *cluster) join(room string, c *conn) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rooms[room] = append(k.rooms[room], c)
}

// say delivers to all members, whichever node they are on. The lock keeps the
// order the same for all.
func (k *cluster) say(room, payload string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, c := range k.rooms[room] {
		for _, p := range c.server.opts.Deliver(c.number, c.delivered, payload) {
			c.deliver(room, p)
		}
		c.delivered++
	}
}
