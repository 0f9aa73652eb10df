package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	// silence is how long nothing may come, comments included, until a connection
	// counts as broken: the node sends something every 25 s, as it is.
	silence = 70 * time.Second
	// maxLine bounds a line of a stream, bytes: a message of a client and more.
	maxLine = 16 << 20
	// ownEvents is what events of the stream itself begin with.
	ownEvents = "stream:"
)

// patterns are those that fit these rooms. A star or a brace has no escape: a room
// with a star gets a pattern that fits more, one with a brace needs a token from
// elsewhere.
func patterns(rooms []string) []string {
	return slices.DeleteFunc(slices.Clone(rooms), func(r string) bool { return strings.ContainsAny(r, "{}") })
}

// stream prints one connection's events. An *Error says that it is of no use to come
// back.
func (t *tail) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	q, err := t.node.request(ctx, http.MethodGet, t.path+"?"+url.Values{"room": t.rooms}.Encode(), nil)
	if err != nil {
		return &Error{Err: err}
	}
	q.Header.Set("Accept", "text/event-stream")
	if t.last != "" {
		q.Header.Set("Last-Event-ID", t.last)
	}
	watch := time.AfterFunc(silence, cancel)
	defer watch.Stop()
	got, err := http.DefaultClient.Do(q)
	if err != nil {
		return t.unreached(err)
	}
	defer got.Body.Close()
	if got.StatusCode != http.StatusOK {
		return t.refused(got)
	}
	return t.read(got.Body, func() { watch.Reset(silence) })
}

// unreached is an error for good only if the node was never there.
func (t *tail) unreached(err error) error {
	if t.last == "" {
		return t.node.unreachable(err)
	}
	return err
}

func (t *tail) refused(got *http.Response) error {
	if got.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("status %d", got.StatusCode)
	}
	body, _ := io.ReadAll(io.LimitReader(got.Body, maxAnswer)) // what there is
	var e struct {
		Error struct{ Code, Message string }
	}
	if json.Unmarshal(body, &e) != nil || e.Error.Code == "" {
		return &Error{Err: fmt.Errorf("%s%s answers with status %d", t.node.base, t.path, got.StatusCode), Hint: "is that a node of Belfry? event streams are at plain.events of its configuration: give that with --path"}
	}
	return &Error{Err: fmt.Errorf("%s: %s", e.Error.Code, e.Error.Message), Hint: "a token lets you in: --token, or --config or --secret-file to sign one; see belfry token"}
}

// event is one of a stream (WHATWG HTML, section 9.2.6).
type event struct {
	name, id string
	hasID    bool
	data     []string
}

// read reads a stream to its end; alive is called for each line.
func (t *tail) read(body io.Reader, alive func()) error {
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxLine)
	var e event
	for lines.Scan() {
		alive()
		line := lines.Text()
		if line != "" {
			e.add(line)
			continue
		}
		if err := t.take(&e); err != nil {
			return err
		}
		e = event{}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return errors.New("the node has ended it")
}

func (e *event) add(line string) {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch name {
	case "event":
		e.name = value
	case "id":
		e.id, e.hasID = value, true
	case "data":
		e.data = append(e.data, value)
	}
}

// take prints an event that is wanted.
func (t *tail) take(e *event) error {
	if e.hasID {
		t.last = e.id
	}
	data := strings.Join(e.data, "\n")
	if kind, own := strings.CutPrefix(e.name, ownEvents); own {
		return t.notice(kind, data)
	}
	if data == "" || len(t.events) > 0 && !slices.Contains(t.events, e.name) {
		return nil
	}
	if _, err := fmt.Fprintln(t.out, withOffset(data, e.id)); err != nil {
		return &Error{Err: fmt.Errorf("print: %w", err)}
	}
	if t.printed++; t.printed == t.count {
		return errDone
	}
	return nil
}

// withOffset adds the offset, which a stream has beside its JSON: --after takes it.
func withOffset(data, id string) string {
	object, ok := strings.CutSuffix(data, "}")
	if !ok || id == "" {
		return data
	}
	offset, _ := json.Marshal(id) // a string has no cause for an error
	return object + `,"offset":` + string(offset) + "}"
}

// notice tells what the stream says of itself. That it is open is of interest once.
func (t *tail) notice(kind, data string) error {
	switch kind {
	case "open":
		return nil
	case "error":
		return t.ended(data)
	case "reset":
		fmt.Fprintf(t.notices, "notice: messages may be missing here: the node cannot go on where this was: %s\n", data)
	default:
		fmt.Fprintf(t.notices, "notice: %s: %s\n", kind, data)
	}
	return nil
}

// ended is the error of a stream that the node has ended with an error. Some are over
// once another connection is made.
func (t *tail) ended(data string) error {
	var e struct{ Code, Message string }
	_ = json.Unmarshal([]byte(data), &e) // or there is no code
	err := fmt.Errorf("the node has ended it: %s: %s", e.Code, e.Message)
	again := []string{"unavailable", "auth_unavailable", "in_doubt", "too_slow", "shutdown"}
	if t.sign != nil {
		again = append(again, "token_expired")
	}
	if slices.Contains(again, e.Code) {
		return err
	}
	return &Error{Err: err}
}
