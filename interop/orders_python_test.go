package interop

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestPythonBackend: the backend that knows Redis alone waits for its group, takes over
// what a dead one has left, answers once, and puts aside what cannot be handled.
func TestPythonBackend(t *testing.T) {
	python := installed(t, "../.cache/interop/python/bin/python", "scripts/install clients")
	o := &orders{redis: redistest.Start(t)}
	o.process(t, nil, python, "../examples/orders/backend.py", "--redis", o.redis.URL(), "--left-behind", "0.5")
	r := o.redis
	const stream, answer = "TEST_EVENT_TO_BACKEND", "{TEST_EVENT_TO_BACKEND}:answer:"
	for i := range 20 {
		r.Must("XADD", stream, "*", "id", fmt.Sprint("e", i), "event", "test", "args", `["ding"]`)
	}
	r.Must("XADD", stream, "*", "id", "o1", "event", "order", "args", `[{"item":"bell","quantity":2}]`, "reply", answer+"o1")
	r.Must("XADD", stream, "*", "id", "o2", "event", "order", "args", `[{"item":"bell","quantity":2}]`, "reply", answer+"o2")
	r.Must("XADD", stream, "*", "id", "poison", "event", "order", "args", `["no order"]`)
	r.Must("XADD", stream, "*", "id", "poison2", "event", "test", "args", `{`)
	r.Must("SET", answer+"o2", "the first answer")
	for _, s := range []string{stream, "GREETING_CHANNEL_OUTBOUND"} {
		r.Must("XGROUP", "CREATE", s, "CONSUMER_GROUP", "0", "MKSTREAM")
	}
	r.Must("XREADGROUP", "GROUP", "CONSUMER_GROUP", "dead", "COUNT", "10", "STREAMS", stream, ">") // or fewer, if Python was first
	r.Must("XADD", "GREETING_CHANNEL_OUTBOUND", "*", "id", "g1", "event", "greet", "args", `["Ada"]`)

	awaitThat(t, "two dead letters", func() bool { return r.Must("XLEN", "{"+stream+"}:dead") == ":2" })
	awaitThat(t, "nothing pending", func() bool {
		return strings.HasPrefix(r.Must("EVAL", "return tostring(redis.call('XPENDING', KEYS[1], 'CONSUMER_GROUP')[1])", "1", stream), "0")
	})
	awaitThat(t, "a greeting", func() bool { return r.Must("XLEN", "GREETING_CHANNEL_INBOUND") == ":1" })
	if got := r.Must("GET", answer+"o1"); got != `{"args": [{"order": "o1", "backend": "backend-P", "total": 240}]}` {
		t.Errorf("the order is answered with %s", got)
	}
	if got := r.Must("GET", answer+"o2"); got != "the first answer" {
		t.Errorf("an answer was replaced: %s", got)
	}
	const handled = `local n, seen = 0, {}
		for _, e in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do
			local topic, m = e[2][2], cjson.decode(e[2][4])
			if topic == '/topic/handled' then n = n + 1; seen[m.id] = true end
		end
		local ids = 0
		for _ in pairs(seen) do ids = ids + 1 end
		return n .. ' of ' .. ids`
	if got := r.Must("EVAL", handled, "1", "TEST_EVENT_TO_WEBSOCKET_SERVER"); got != "23 of 23" {
		t.Errorf("shown are %s events, want each of 23 once", got)
	}
}

// awaitThat waits until a question about Redis has the right answer.
func awaitThat(t *testing.T, what string, right func() bool) {
	t.Helper()
	for late := time.After(time.Minute); !right(); {
		select {
		case <-time.After(20 * time.Millisecond):
		case <-late:
			t.Fatalf("there is not %s", what)
		}
	}
}
