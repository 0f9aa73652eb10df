package bustest

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry"
)

func deliveryChecks() []check {
	return []check{
		{
			name:   "every node gets every message once",
			clause: "Publish sends m to all nodes, this one included",
			nodes:  3, run: checkOnce,
		},
		{
			name:   "publish returns after its own deliver",
			clause: "Publish returns nil once this node's own Deliver has run",
			nodes:  3, run: checkOwnDeliverFirst,
		},
		{
			name:   "messages arrive unchanged",
			clause: "Message: each field is what was published; Publish fills Origin",
			nodes:  2, run: checkContent,
		},
		{
			name:   "big and binary messages arrive unchanged",
			clause: "Message: Data and Attachments are arbitrary bytes",
			nodes:  2, run: checkBig,
		},
	}
}

// checkOnce publishes from all nodes at once, then counts on all nodes.
func checkOnce(ctx context.Context, c *cluster) error {
	t, err := c.traffic(ctx, 100)
	if err != nil {
		return err
	}
	for _, m := range c.members {
		if err := exactlyOnce(t.ids(), m.trace()); err != nil {
			return fmt.Errorf("node %s: %w", m.id, err)
		}
	}
	return nil
}

// exactlyOnce reports which of the wanted messages are missing or came more
// than once, and which came that nobody wanted.
func exactlyOnce(want []string, trace []*belfry.Message) error {
	counts := map[string]int{}
	for _, id := range idsOf(trace) {
		counts[id]++
	}
	var wrong []string
	for _, id := range want {
		if counts[id] != 1 {
			wrong = append(wrong, fmt.Sprintf("%s came %d times", id, counts[id]))
		}
		delete(counts, id)
	}
	for id := range counts {
		wrong = append(wrong, fmt.Sprintf("%q was never published", id))
	}
	if len(wrong) == 0 {
		return nil
	}
	return fmt.Errorf("%d of %d wrong: %s", len(wrong), len(want), strings.Join(wrong[:min(5, len(wrong))], ", "))
}

// checkOwnDeliverFirst leaves the looking to member.publish, with a Deliver that
// takes some time.
func checkOwnDeliverFirst(ctx context.Context, c *cluster) error {
	for _, m := range c.members {
		m.during(func(*belfry.Message) { <-time.After(time.Millisecond) })
	}
	for i := range 20 {
		m := c.members[i%len(c.members)]
		if err := m.publish(ctx, event(fmt.Sprint("m", i), to("room"))); err != nil {
			return err
		}
	}
	return nil
}

func checkContent(ctx context.Context, c *cluster) error {
	for i, m := range samples() {
		want := *m
		if err := c.members[0].link.Publish(ctx, m); err != nil {
			return fmt.Errorf("publish sample %d: %w", i, err)
		}
		for _, node := range c.members {
			if err := node.gets(ctx, i, &want, c.members[0].id); err != nil {
				return fmt.Errorf("node %s: sample %d: %w", node.id, i, err)
			}
		}
	}
	return nil
}

// gets waits for message number i of a single publisher and compares it.
func (r *recorder) gets(ctx context.Context, i int, want *belfry.Message, origin belfry.NodeID) error {
	if err := r.until(ctx, fmt.Sprint("message number ", i), func() bool { return len(r.got) > i }); err != nil {
		return err
	}
	got := r.trace()[i]
	if got.Origin != origin {
		return fmt.Errorf("origin %q, want %q", got.Origin, origin)
	}
	return same(got, want)
}

// same compares all that a publisher sets.
func same(got, want *belfry.Message) error {
	g, w := normal(got), normal(want)
	if reflect.DeepEqual(g, w) {
		return nil
	}
	for i := range reflect.TypeFor[belfry.Message]().NumField() {
		field := reflect.TypeFor[belfry.Message]().Field(i).Name
		a, b := reflect.ValueOf(g).Field(i).Interface(), reflect.ValueOf(w).Field(i).Interface()
		if !reflect.DeepEqual(a, b) {
			return fmt.Errorf("%s is %s, want %s", field, short(a), short(b))
		}
	}
	return fmt.Errorf("got %s, want %s", short(g), short(w))
}

// normal makes no difference between nil and empty, and leaves out what the bus
// sets.
func normal(m *belfry.Message) belfry.Message {
	n := *m
	n.Origin, n.Offset = "", ""
	n.Data = append([]byte{}, m.Data...)
	n.Target.Rooms = append([]belfry.Room{}, m.Target.Rooms...)
	n.Target.Except = append([]belfry.Room{}, m.Target.Except...)
	n.Rooms = append([]belfry.Room{}, m.Rooms...)
	n.Attachments = [][]byte{}
	for _, a := range m.Attachments {
		n.Attachments = append(n.Attachments, append([]byte{}, a...))
	}
	return n
}

func short(v any) string {
	s := fmt.Sprintf("%q", v)
	if len(s) > 200 {
		return fmt.Sprintf("%s… (%d characters)", s[:200], len(s))
	}
	return s
}

// samples is one message of each form.
func samples() []*belfry.Message {
	data := []byte(`["chat", {"text":"gr\u00fc\u00df dich \ud83d\ude00 grüß"} , null,1.50]`)
	target := belfry.Target{Rooms: []belfry.Room{"a", "b c", "ü", "x,y"}, Except: []belfry.Room{"d", "e#/f"}}
	all := []*belfry.Message{
		{Kind: belfry.Emit, Namespace: "/", Data: data},
		{Kind: belfry.Emit, Namespace: "/n", Target: target, Data: data},
		{Kind: belfry.Emit, Namespace: "/n", Target: belfry.Target{Except: []belfry.Room{"a"}}, Data: data, Volatile: true},
		{Kind: belfry.Emit, Namespace: "/n", Target: target, Data: data, NoCompress: true, Unlogged: true},
		{
			Kind: belfry.Emit, Namespace: "/n", Target: target, Data: []byte(`["b",{"_placeholder":true,"num":0}]`),
			Attachments: [][]byte{{0, 1, 2, 0xff}},
		},
		{
			Kind: belfry.Emit, Namespace: "/n", Target: target, Data: data, Unlogged: true,
			Request: 1<<53 + 1, Timeout: 1500 * time.Millisecond,
		},
		{Kind: belfry.Join, Namespace: "/n", Target: target, Rooms: []belfry.Room{"new", "newer"}},
		{Kind: belfry.Leave, Namespace: "/n", Target: target, Rooms: []belfry.Room{"new"}},
		{Kind: belfry.Disconnect, Namespace: "/n", Target: target, CloseTransport: true},
		{Kind: belfry.Disconnect, Namespace: "/n"},
		{Kind: belfry.Fetch, Namespace: "/n", Target: target, Request: 2, Timeout: time.Second},
		{Kind: belfry.ServerSideEmit, Namespace: "/n", Data: data},
		{Kind: belfry.ServerSideEmit, Namespace: "/n", Data: data, Request: 3, Timeout: time.Second},
		{Kind: belfry.AllRooms, Namespace: "/n", Request: 4, Timeout: time.Second},
	}
	return all
}

func checkBig(ctx context.Context, c *cluster) error {
	noise := make([]byte, 1<<20)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(noise) // never fails
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	big := event("big", to("room"))
	big.Data = slices.Concat([]byte(`["event","big","`), bytes.Repeat([]byte("0123456789abcdef"), 1<<16), []byte(`"]`))
	binary := event("binary", to("room"))
	binary.Attachments = [][]byte{noise, {}, every, []byte("\r\n$5\r\nhello\r\n"), {0}, noise[:100_000]}
	for i, m := range []*belfry.Message{big, binary} {
		want := *m
		if err := c.members[0].publish(ctx, m); err != nil {
			return err
		}
		for _, node := range c.members {
			if err := node.gets(ctx, i, &want, c.members[0].id); err != nil {
				return fmt.Errorf("node %s: %w", node.id, err)
			}
		}
	}
	return nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
