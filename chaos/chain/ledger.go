package chain

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/seed-09a96375/belfry/chaos/account"
)

// ledger is what clients know of the messages that they have sent, and of where in the
// log of the bus messages are that they got.
type ledger struct {
	sent     account.Sent
	offsets  map[name]string // places in the log
	repeated int             // events that were sent again, with the same id
	fault    error           // the log says what cannot be
}

// readLedger reads the log of the clients. There are so many streams.
func readLedger(file string, streams int) (*ledger, error) {
	log, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	l := &ledger{sent: make(account.Sent, streams), offsets: make(map[name]string)}
	err = account.Read(log, l.enter)
	return l, errors.Join(err, l.fault)
}

func (l *ledger) enter(e account.Event) {
	switch e.Kind {
	case account.Offered:
		// The numbers of a client come one after the other. It may be anywhere until
		// it is acked.
		if e.Stream >= len(l.sent) || e.Number != len(l.sent[e.Stream]) {
			l.fault = fmt.Errorf("client %d sends %d out of turn", e.Client, e.Number)
			return
		}
		l.sent[e.Stream] = append(l.sent[e.Stream], account.Message{Outcome: account.Maybe, Begun: e.Time})
	case account.Repeated:
		l.repeated++
	case account.Acked:
		if e.Stream >= len(l.sent) || e.Number >= len(l.sent[e.Stream]) {
			l.fault = fmt.Errorf("client %d has an ack of %d, and never sent it", e.Client, e.Number)
			return
		}
		l.sent[e.Stream][e.Number].Outcome = account.Accepted
	case account.Received:
		l.receive(name{e.Stream, e.Number}, e.Offset)
	}
}

// receive notes where a message is; clients that were told several places agree with no
// row.
func (l *ledger) receive(n name, offset string) {
	at := numberOf(offset)
	if at == "" {
		return
	}
	if known, is := l.offsets[n]; is && known != at {
		at = known + " and " + at
	}
	l.offsets[n] = at
}

// numberOf is the place in the log that an offset names. What is before it is the epoch:
// a message that was accepted before Redis was killed, and brought to clients after that,
// has the one for who published it, and the other for them.
func numberOf(offset string) string {
	_, number, _ := strings.Cut(offset, "-")
	return number
}
