package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry/chaos/account"
)

// Via is the way that messages take into the cluster.
type Via string

const (
	// ByNode is POST /publish of a node of the experiment.
	ByNode Via = ""
	// ByAPI is POST /api/publish of any node, with an id, and again with the same id
	// until it is accepted.
	ByAPI Via = "api"
	// ByStream is an entry of the stream Source.
	ByStream Via = "stream"
)

// Source is the stream that the nodes read; for the control, the channel.
const Source = "EVENTS"

const (
	// NoIDs is the Fault of a publisher that repeats without an id.
	NoIDs Fault = "without ids"
	// ByChannel is the Fault of one that uses a channel, which keeps nothing.
	ByChannel Fault = "to a channel"
)

// lostAnswer is of how many answers one is taken for lost, so that there is enough
// to repeat.
const lostAnswer = 50

// way returns how one message is brought to the cluster.
func (p *Publisher) way() func(ctx context.Context, stream, n int) account.Outcome {
	switch {
	case p.o.Offer != nil:
		return p.o.Offer
	case p.o.Via == ByAPI:
		return p.offerByAPI
	case p.o.Via == ByStream:
		return p.offerByStream
	}
	return p.offer
}

// offerByAPI repeats until the message is accepted: that is what ids are for.
func (p *Publisher) offerByAPI(ctx context.Context, stream, n int) account.Outcome {
	until := time.Now().Add(p.o.Patience)
	message := map[string]any{
		"rooms": []string{strconv.Itoa(p.o.Streams[stream])}, "event": "m", "args": []int{stream, n},
	}
	if p.o.Fault != NoIDs {
		message["id"] = fmt.Sprintf("%d/%d/%d", p.o.Seed, stream, n)
	}
	text, err := json.Marshal(message)
	if err != nil {
		return account.Refused
	}
	forget := n%lostAnswer == stream%lostAnswer
	for time.Now().Before(until) {
		ok := p.postAPI(ctx, p.o.Nodes[rand.IntN(len(p.o.Nodes))], text)
		if ok && !forget {
			return account.Accepted
		}
		if ok {
			forget = false
			continue
		}
		if !sleep(ctx, 20*time.Millisecond+rand.N(80*time.Millisecond)) {
			break
		}
	}
	return account.Maybe
}

// postAPI reports whether the cluster has accepted the message.
func (p *Publisher) postAPI(ctx context.Context, node string, text []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, node+"/api/publish", bytes.NewReader(text))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.client.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, res.Body) // so that the connection is used again
	return err == nil && res.StatusCode == http.StatusOK
}

// offerByStream adds one entry. An entry whose outcome nobody knows is not added
// again: it would be another one.
func (p *Publisher) offerByStream(ctx context.Context, stream, n int) account.Outcome {
	until := time.Now().Add(p.o.Patience)
	text, err := json.Marshal(body{Room: strconv.Itoa(p.o.Streams[stream]), Stream: stream, Number: n})
	if err != nil {
		return account.Refused
	}
	if n == 0 && p.o.Fault == "" {
		p.poison(ctx)
	}
	for time.Now().Before(until) {
		err := p.add(ctx, string(text))
		if err == nil {
			return account.Accepted
		}
		if o := outcomeOf(err); o != account.Refused {
			return o
		}
		if !sleep(ctx, 50*time.Millisecond) {
			break
		}
	}
	return account.Refused
}

// add gives Redis one message.
func (p *Publisher) add(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	words := []string{"XADD", Source, "*", "message", text}
	if p.o.Fault == ByChannel {
		words = []string{"PUBLISH", Source, text}
	}
	return p.o.Redis.Do(ctx, p.o.Redis.B().Arbitrary(words...).Build()).Error()
}

// poison adds an entry that is no message.
func (p *Publisher) poison(ctx context.Context) {
	if err := p.add(ctx, "{no message"); err == nil {
		p.mu.Lock()
		p.poisoned++
		p.mu.Unlock()
	}
}

// Poisoned is how many entries that are no message were added.
func (p *Publisher) Poisoned() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.poisoned
}
