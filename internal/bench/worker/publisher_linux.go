package worker

import (
	"bytes"
	"fmt"
	"strconv"
)

// publishes reports whether a client is one that publishes by HTTP.
func (l *loop) publishes(i int) bool { return l.set.HTTP && !l.set.Plan.Listens(l.set.First+i) }

// publish queues the request that publishes a payload to the room of a client: the
// same for all servers.
func (l *loop) publish(i int, payload []byte) {
	c := &l.clients[i]
	before, after := `{"rooms":["`+l.roomName(i)+`"],"event":"msg","args":["`, `"]}`
	c.out = fmt.Appendf(c.out, "POST /api/publish HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		l.dialer.target(i).Host, PublishKey, len(before)+len(payload)+len(after))
	c.out = append(append(append(c.out, before...), payload...), after...)
	l.soil(i)
}

// answers takes whole answers and returns what is left.
func (l *loop) answers(i int, p []byte) (rest []byte, err error) {
	for l.clients[i].live() && len(p) > 0 {
		n, err := answerLength(p)
		if err != nil {
			l.fail(&Fault{Text: fmt.Sprintf("publish at %s: %v", l.dialer.target(i).Host, err), Advice: "the server must take POST /api/publish, as belfry bench server does"})
			return nil, nil
		}
		if n == 0 {
			return p, nil
		}
		p = p[n:]
		l.sender.granted(i)
	}
	return p, nil
}

var contentLength = []byte("content-length: ") // never changed

// answerLength returns the length of the answer that p begins with, 0 if it is not
// whole. Answers must be 200 and say how long they are.
func answerLength(p []byte) (int, error) {
	head, _, whole := bytes.Cut(p, []byte("\r\n\r\n"))
	if !whole {
		return 0, nil
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
		return 0, &statusError{answer: string(p[:min(len(p), 1024)])}
	}
	_, after, found := bytes.Cut(bytes.ToLower(head), contentLength)
	line, _, _ := bytes.Cut(after, []byte("\r\n"))
	n, err := strconv.Atoi(string(line))
	if !found || err != nil || n < 0 {
		return 0, fmt.Errorf("%w: an answer without Content-Length", errProtocol)
	}
	if n += len(head) + 4; len(p) < n {
		return 0, nil
	}
	return n, nil
}

// granted takes the answer to the oldest request of a client.
func (s *sender) granted(client int) {
	for n := range s.sources {
		if src := &s.sources[n]; src.client == client {
			src.granted = min(src.granted+1, src.seq)
			if s.window > 0 {
				s.fill(n, s.clock.Now())
			}
			return
		}
	}
}
