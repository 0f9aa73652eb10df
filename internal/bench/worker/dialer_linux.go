package worker

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/seed-09a96375/belfry/internal/bench/dialect"
)

// dialer connects the clients, in order, so many at a time.
type dialer struct {
	*loop
	peers   []peer
	next    int   // the next client to connect
	pending int   // clients under way
	done    int   // clients ready
	begun   int64 // when the first attempt began
	checked int64 // when overdue last looked
}

// peer is one target, prepared.
type peer struct {
	target    Target
	addr      netip.AddrPort
	sockaddr  unix.Sockaddr
	family    int
	handshake handshake
}

func (d *dialer) prepare() error {
	nonce := make([]byte, 16)
	for i := range nonce {
		nonce[i] = byte(d.random.Uint32())
	}
	for _, t := range d.set.Targets {
		addr, err := netip.ParseAddrPort(t.Addr)
		if err != nil {
			return fmt.Errorf("parse address of a target: %w", err)
		}
		p := peer{target: t, addr: addr, handshake: newHandshake(t, nonce)}
		p.family, p.sockaddr = sockaddr(addr)
		d.peers = append(d.peers, p)
	}
	for i := range d.clients {
		d.clients[i].peer = d.set.Plan.Target(d.set.First+i, len(d.peers))
	}
	return nil
}

func sockaddr(a netip.AddrPort) (family int, sa unix.Sockaddr) {
	if a.Addr().Unmap().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().Unmap().As4()}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// peer returns the peer of a client.
func (d *dialer) peer(i int) *peer { return &d.peers[d.clients[i].peer] }

func (d *dialer) target(i int) Target { return d.peer(i).target }

// proceed begins as many connections as may be under way.
func (d *dialer) proceed(now int64) {
	if d.begun == 0 {
		d.begun = now
	}
	for d.pending < d.set.Concurrency && d.next < len(d.clients) && d.allowed(now) {
		if err := d.dial(d.next, now); err != nil {
			d.fail(connectFault(d.target(d.next), err))
			return
		}
		d.next++
		d.pending++
	}
	d.overdue(now)
}

// allowed reports whether the rate lets another connection begin.
func (d *dialer) allowed(now int64) bool {
	return d.set.ConnectRate <= 0 ||
		float64(now-d.begun)/float64(time.Second)*d.set.ConnectRate >= float64(d.next)
}

// overdue fails if a handshake takes too long.
func (d *dialer) overdue(now int64) {
	if now-d.checked < int64(time.Second) {
		return
	}
	d.checked = now
	for i := range d.clients {
		c := &d.clients[i]
		if c.live() && c.state < ready && now-c.begun > int64(d.set.Timeout) {
			d.lose(i, errTimeout)
			return
		}
	}
}

// dial begins to connect a client.
func (d *dialer) dial(i int, now int64) error {
	p := d.peer(i)
	fd, err := unix.Socket(p.family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("make socket: %w", err)
	}
	c := &d.clients[i]
	c.fd, c.state, c.begun = fd, connecting, now
	if err := d.spread(fd, i, p); err != nil {
		return err
	}
	// Requests are small and must leave at once, whatever is on the way.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return fmt.Errorf("set TCP_NODELAY: %w", err)
	}
	if err := unix.Connect(fd, p.sockaddr); err != nil && err != unix.EINPROGRESS {
		return err
	}
	return d.poller.control(unix.EPOLL_CTL_ADD, fd, i, unix.EPOLLOUT)
}

// spread gives a client one of 200 source addresses if the server is on IPv4
// loopback: one address has only some 28,000 ports for one server.
func (d *dialer) spread(fd, i int, p *peer) error {
	if p.family != unix.AF_INET || !p.addr.Addr().Unmap().IsLoopback() {
		return nil
	}
	// The port is chosen by connect, which needs it free for this server only.
	if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
		return fmt.Errorf("set IP_BIND_ADDRESS_NO_PORT: %w", err)
	}
	last := byte(2 + (d.set.First+i)%200)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, last}}); err != nil {
		return fmt.Errorf("bind 127.0.0.%d: %w", last, err)
	}
	return nil
}

// dialed goes on after the TCP connection stands or failed.
func (d *dialer) dialed(i int) {
	c := &d.clients[i]
	errno, err := unix.GetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err != nil || errno != 0 {
		d.lose(i, unix.Errno(errno))
		return
	}
	d.watch(i, false)
	if d.set.Floor {
		d.greetFloor(i)
		return
	}
	if d.publishes(i) {
		c.state = greeting // there is nothing to say
		d.ready(i, nil)
		return
	}
	c.state = shaking
	c.out = append(c.out, d.peer(i).handshake.request...)
	d.soil(i)
}

// greetFloor tells the floor server which room the client belongs to: 4 bytes,
// big endian.
func (d *dialer) greetFloor(i int) {
	c := &d.clients[i]
	c.out = binary.BigEndian.AppendUint32(c.out, uint32(d.judge.rooms[i]))
	d.soil(i)
	c.state = greeting
	d.ready(i, nil)
}

// shaken reads the answer to the handshake and returns its length, 0 if it is
// not complete.
func (d *dialer) shaken(i int, p []byte) (int, error) {
	n, err := d.peer(i).handshake.answer(p)
	if err != nil || n == 0 {
		return 0, err
	}
	d.clients[i].state = greeting
	if !d.set.Protocol.ServerOpens() {
		d.hello(i)
	}
	return n, nil
}

// hello asks for a session, or for the one that the client had.
func (d *dialer) hello(i int) {
	r := dialect.Request{Verb: dialect.Hello}
	if s := d.returner.session(i); s != nil {
		r.Session, r.Offset = s.secret, s.offset
	}
	d.request(i, r)
}

// ready is called when a client may send; secret is that of its session.
func (d *dialer) ready(i int, secret []byte) {
	c := &d.clients[i]
	if c.state != greeting {
		return
	}
	c.state = ready
	if s := d.returner.session(i); s != nil && s.lost != 0 {
		d.returner.returned(i, secret)
		return
	} else if s != nil {
		s.secret = append(s.secret, secret...)
	}
	d.pending--
	d.done++
	d.judge.record(d.clock.Now() - c.begun)
	if d.done == len(d.clients) {
		d.phase = holdPhase
		d.report(Report{Op: OpSetup, Mark: d.judge.mark()})
	}
}
