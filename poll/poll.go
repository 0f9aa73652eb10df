// Package poll carries many byte streams, most of them idle: on Linux a plain
// TCP or Unix connection costs neither a goroutine nor a buffer nor a timer
// object while nothing happens on it. Elsewhere, and for TLS, a goroutine per
// connection stands behind the same interface.
//
// A Group is the Poller. Its Linux half runs a few loops, each one goroutine
// around one epoll instance; Send writes straight to the socket from the
// caller's goroutine and queues only what the kernel has no room for. Frames of
// messages that came together are written together; see Frame.Cork. Under
// heavy load a loop lets its connections collect frames for some milliseconds
// and writes them together; see Options.MaxCoalesce.
package poll

import (
	"errors"
	"net"

	"github.com/seed-09a96375/belfry/poll/cork"
)

// Handler owns a Conn. Its methods are called one at a time per Conn, from a
// goroutine that many connections share: they must not block.
type Handler interface {
	// Data hands over what arrived, in order. p is lent: it is valid until Data
	// returns and may be changed in place (unmasking). An error closes the Conn
	// with it. After PauseRead was called from within Data no further Data
	// comes until ResumeRead.
	Data(p []byte) error
	// Closed is the last call, exactly once; err is nil after Finish and the
	// peer's orderly end, io.EOF if the peer ended first, ErrLinger if the peer
	// did not end in time after Finish, ErrClosed if the Group was closed, else
	// the reason.
	Closed(err error)
}

// Conn is one byte stream. Safe for concurrent use. What several goroutines
// send leaves in the order in which their Sends came; frames never overtake
// one another, with the one exception that KeepLatest states.
type Conn interface {
	// Send writes f or queues it; it never blocks. See Frame. It returns
	// ErrClosed after Close or Finish or the end of the stream, ErrSlow if the
	// queue overflowed and the policy was to close (Handler.Closed then gets
	// ErrSlow, too), ErrDropped if this very frame was dropped (volatile, or by
	// policy). A frame without bytes is no frame: nothing happens.
	Send(f Frame) error
	// Buffered returns the number of bytes that wait in the queue, 0 for an idle
	// connection.
	Buffered() int
	// PauseRead stops reading: the kernel's buffers fill and the peer is slowed
	// down. ResumeRead continues. Called from elsewhere than Data, PauseRead may
	// come too late for one more Data.
	PauseRead()
	ResumeRead()
	// Finish sends what is queued, then ends the stream's sending side, and
	// closes once the peer has ended too or after the linger time of the group.
	// Until then Data goes on.
	Finish()
	// Close ends the connection at once; queued bytes are lost. err goes to
	// Handler.Closed. Only the first call counts.
	Close(err error)
	// RemoteAddr asks the kernel each time; nil once closed.
	RemoteAddr() net.Addr
}

// Poller takes connections in.
type Poller interface {
	// Add takes c over, and everything about it: c must not be used any more,
	// whatever is returned; on an error it is closed. read is what was already
	// read from c (may be empty); it is copied. bind is called exactly once with
	// the new Conn, before any call of the handler it returns and before Add
	// returns; it is not called if Add returns an error. It returns ErrClosed
	// once the Poller is closed.
	Add(c net.Conn, read []byte, bind func(Conn) Handler) error
}

// Overflow says what happens when a frame does not fit into the queue of a
// connection whose peer does not read fast enough. The zero value is CloseSlow.
type Overflow uint8

const (
	// CloseSlow: the connection is closed with ErrSlow.
	CloseSlow Overflow = iota
	// DropOldest: the oldest queued frames that are not CloseSlow make room; if
	// that is not enough, none of them is dropped but this frame.
	DropOldest
	// KeepLatest: once the peer is slow, a queued KeepLatest frame of the same
	// Key is replaced at any fill level. The new frame takes the old one's
	// place if only KeepLatest frames stand behind that place (so no key starves
	// another), else it goes to the end. Overflow as DropOldest.
	KeepLatest
)

// Frame is one unit of writing: it is written whole or not at all. Data is
// shared by many connections and never changed.
type Frame struct {
	Data []byte
	// Key groups frames for KeepLatest. 0 is a key as any other.
	Key      uint64
	Overflow Overflow
	// Volatile frames are dropped (ErrDropped) when the peer is slow, that is
	// when bytes could not be written for want of room in the kernel's buffer.
	// Frames that wait to be coalesced do not count as slow.
	Volatile bool
	// Cork lets the frame wait for those of other messages that are there already. nil:
	// it is written at once.
	Cork *cork.Cork
}

var (
	// ErrClosed: the connection, or the Poller, was closed.
	ErrClosed = errors.New("connection closed")
	// ErrSlow: the queue overflowed, and the policy was CloseSlow.
	ErrSlow = errors.New("peer reads too slowly: send queue full")
	// ErrDropped: this frame was dropped.
	ErrDropped = errors.New("frame dropped: peer reads too slowly")
	// ErrLinger: after Finish the peer neither took everything nor ended its
	// side within the linger time.
	ErrLinger = errors.New("peer did not end the stream in time")
)
