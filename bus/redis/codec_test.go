package redis

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

func messages() []*belfry.Message {
	return []*belfry.Message{
		{Namespace: "/", Data: []byte(`["a"]`)},
		{
			Kind: belfry.Emit, Namespace: "/n", Data: []byte(`["b",{"_placeholder":true,"num":0}]`),
			Target:      belfry.Target{Rooms: []belfry.Room{"r", "ü#,"}, Except: []belfry.Room{"x"}},
			Attachments: [][]byte{{0, 0xff}, {}}, Volatile: true, NoCompress: true,
		},
		{Kind: belfry.Join, Namespace: "/n", Rooms: []belfry.Room{"new"}},
		{Kind: belfry.Disconnect, Namespace: "/n", CloseTransport: true, Unlogged: true},
		{Kind: belfry.AllRooms, Namespace: "/n", Request: 1<<53 + 1, Timeout: 1500 * time.Millisecond},
	}
}

func TestMessageRoundTrip(t *testing.T) {
	for i, m := range messages() {
		m.Origin = "node"
		body := encodeMessage(m, m.Origin, uint64(i+1))
		got, count, err := decodeMessage(body)
		if err != nil || count != uint64(i+1) || !reflect.DeepEqual(got, m) {
			t.Errorf("message %d: got %+v, count %d, %v, want %+v", i, got, count, err, m)
		}
		origin, count, ok := peekOrigin(body)
		if !ok || string(origin) != "node" || count != uint64(i+1) {
			t.Errorf("message %d: peekOrigin gives %q, %d, %v", i, origin, count, ok)
		}
	}
}

// TestNewerNode: fields that are not known are skipped, another version refused.
func TestNewerNode(t *testing.T) {
	m := messages()[1]
	m.Origin = "node"
	e := encoder(encodeMessage(m, m.Origin, 7))
	e.string(99, "from the future")
	e.bytes(1<<40, []byte{1, 2})
	if got, _, err := decodeMessage(e); err != nil || !reflect.DeepEqual(got, m) {
		t.Errorf("got %+v, %v, want %+v", got, err, m)
	}
	e[0] = bodyVersion + 1
	if _, _, err := decodeMessage(e); !errors.Is(err, errVersion) {
		t.Errorf("another version: %v, want errVersion", err)
	}
}

func TestMalformedBodies(t *testing.T) {
	for name, body := range map[string][]byte{
		"empty":                 {},
		"no kind":               {1},
		"a reply":               {1, 2},
		"field without length":  {1, 1, 7},
		"length past the end":   {1, 1, 7, 9, 'x'},
		"length near overflow":  append([]byte{1, 1, 7}, binary.AppendUvarint(nil, 1<<64-1)...),
		"endless varint":        append([]byte{1, 1}, bytes.Repeat([]byte{0xff}, 12)...),
		"number with remainder": {1, 1, 3, 2, 1, 1},
		"kind of the future":    {1, 1, 3, 1, 99},
	} {
		if m, _, err := decodeMessage(body); err == nil {
			t.Errorf("%s: decoded to %+v", name, m)
		}
	}
}

func TestOffsets(t *testing.T) {
	e := epoch{"0123456789abcdef", 1_763_837_000_123}
	o := e.offset(42)
	p, ok := parseOffset(o)
	if !ok || p != (position{e.name(), e.counter, 42}) {
		t.Fatalf("%q is read as %+v, %v", o, p, ok)
	}
	for _, bad := range []belfry.Offset{"", "-", "a-1", "a.b", o + "x", "a.01-1", "a.1-01", "a.1-", "a.1-+1", "a.1--1"} {
		if p, ok := parseOffset(bad); ok {
			t.Errorf("%q is read as %+v", bad, p)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for i, m := range messages() {
		f.Add(encodeMessage(m, "node", uint64(i)))
	}
	f.Add([]byte{1, 1, 7, 9, 'x'})
	f.Fuzz(func(t *testing.T, body []byte) {
		m, count, err := decodeMessage(body)
		if err != nil {
			return
		}
		again, count2, err := decodeMessage(encodeMessage(m, m.Origin, count))
		if err != nil || count != count2 || !reflect.DeepEqual(m, again) {
			t.Fatalf("%+v, count %d, becomes %+v, count %d, %v", m, count, again, count2, err)
		}
	})
}

func FuzzReply(f *testing.F) {
	f.Add(encodeReply(&belfry.Reply{Request: 1, From: "n", Body: []byte("{}"), Attachments: [][]byte{{1}}, Err: "e"}))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := decodeReply(body)
		if err != nil {
			return
		}
		again, err := decodeReply(encodeReply(r))
		if err != nil || !reflect.DeepEqual(r, again) {
			t.Fatalf("%+v becomes %+v, %v", r, again, err)
		}
	})
}

func FuzzSession(f *testing.F) {
	f.Add(encodeSession(&belfry.Session{
		Socket: "s", Since: "a.1-1", Data: []byte("{}"),
		Rooms: []belfry.Membership{{Room: "r", Since: "a.1-2"}, {Room: "q"}},
	}))
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := decodeSession(body)
		if err != nil {
			return
		}
		again, err := decodeSession(encodeSession(s))
		if err != nil || !reflect.DeepEqual(s, again) {
			t.Fatalf("%+v becomes %+v, %v", s, again, err)
		}
	})
}

// FuzzPush wants that nothing that comes over a channel breaks a node.
func FuzzPush(f *testing.F) {
	f.Add([]byte("12 11 1763837000123 1763837000000\n\x01\x01\x01\x01n\x02\x01\x05"))
	f.Add([]byte("0 0 0 1\n\x01\x041 2 3 abc 4 1"))
	f.Add([]byte("0 0 0 1\n\x01\x031 2 3"))
	for _, text := range []string{"0 0 0 0\n", "1 2 3\nx", "1 2 3 4 5\nx", "1 2 3 4 \nx", " 1 2 3 4\nx", "", "\n\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		p, err := parsePush(payload)
		isProbe(string(payload))
		if err != nil {
			return
		}
		if !bytes.HasSuffix(payload, p.body) || len(p.body) == 0 {
			t.Fatalf("body %q of %q", p.body, payload)
		}
		line := fmt.Sprintf("%d %d %d %d\n", p.seq, p.previous, p.stamp, p.epoch)
		if again, err := parsePush([]byte(line + string(p.body))); err != nil || !reflect.DeepEqual(again, p) {
			t.Fatalf("%q is %+v, and again %+v, %v", payload, p, again, err)
		}
		if p.kind() == kindMark {
			_, _ = parseMark(p.body)
		}
	})
}
