package publish

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/seed-09a96375/belfry/chaos/account"
)

// body is what the nodes take.
type body struct {
	Room   string `json:"room"`
	Stream int    `json:"stream"`
	Number int    `json:"number"`
}

// offer brings a message to the cluster: from node to node until one accepts it,
// or nobody can know whether it did.
func (p *Publisher) offer(ctx context.Context, stream, n int) account.Outcome {
	until := time.Now().Add(p.o.Patience)
	text, err := json.Marshal(body{Room: strconv.Itoa(p.o.Streams[stream]), Stream: stream, Number: n})
	if err != nil {
		return account.Refused
	}
	for try := 0; ; try++ {
		node := p.choose(stream, try)
		switch o := p.post(ctx, p.o.Nodes[node], text); {
		case o != account.Refused:
			return o
		case !p.rest(ctx, node) || time.Now().After(until):
			return account.Refused
		}
	}
}

// choose returns the stream's own node, or another if that did not accept of
// late.
func (p *Publisher) choose(stream, try int) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.o.Nodes {
		node := (stream + i) % len(p.o.Nodes)
		if time.Since(p.avoided[node]) > avoidTime {
			return node
		}
	}
	return (stream + try) % len(p.o.Nodes)
}

// rest leaves the node alone for a while, and waits a little.
func (p *Publisher) rest(ctx context.Context, node int) bool {
	p.mu.Lock()
	p.avoided[node] = time.Now()
	p.mu.Unlock()
	return sleep(ctx, 50*time.Millisecond)
}

func (p *Publisher) post(ctx context.Context, node string, text []byte) account.Outcome {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, node+"/publish", bytes.NewReader(text))
	if err != nil {
		return account.Refused
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := p.client.Do(req)
	if err != nil {
		return outcomeOf(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body) // so that the connection is used again
	switch res.StatusCode {
	case http.StatusNoContent:
		return account.Accepted
	case http.StatusServiceUnavailable:
		return account.Refused
	default:
		return account.Maybe
	}
}

// outcomeOf: a message whose connection was never made has not left.
func outcomeOf(err error) account.Outcome {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return account.Refused
	}
	return account.Maybe
}
