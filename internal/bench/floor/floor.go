// Package floor is what fan-out costs at the least: a process that holds bare
// TCP connections and writes a frame to each with write(2), one after the
// other. It knows no WebSocket, no session and no queue. Any server pays these
// calls; what it pays on top is its own.
//
// A client begins with the number of its room, 4 bytes big endian. The frames
// are those that a Socket.IO server sends: an unmasked text frame with
// 42["msg","payload"].
package floor

import (
	"strconv"

	"github.com/seed-09a96375/belfry/internal/bench/frame"
	"github.com/seed-09a96375/belfry/internal/bench/stamp"
)

// writer makes the frames of a run.
type writer struct {
	filling []byte
	message []byte
	frame   []byte
}

// make returns the frame with a stamp; it is valid until the next call.
func (w *writer) make(s stamp.Stamp) []byte {
	w.message = append(w.message[:0], `42["msg","`...)
	w.message = append(s.AppendTo(w.message), w.filling...)
	w.message = append(w.message, `"]`...)
	w.frame = frame.AppendServer(w.frame[:0], frame.Text, w.message)
	return w.frame
}

// roomError: a client named a room that is not in the plan.
type roomError uint32

func (e roomError) Error() string {
	return "a client named room " + strconv.FormatUint(uint64(e), 10) + ", which is not in the plan"
}
