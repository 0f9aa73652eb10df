package dialect

import (
	"bytes"
	"testing"
)

func mustNew(t testing.TB, n Name) Dialect {
	t.Helper()
	d, err := New(n)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestNewNamesTheChoices(t *testing.T) {
	if _, err := New("stomp"); err == nil || !bytes.Contains([]byte(err.Error()), []byte("centrifuge")) {
		t.Errorf("got %v", err)
	}
}

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		name Name
		r    Request
		want string
	}{
		{SocketIO, Request{Verb: Hello}, `40`},
		{SocketIO, Request{Verb: Hello, Session: []byte("s")}, `40{"pid":"s"}`},
		{SocketIO, Request{Verb: Hello, Session: []byte("s"), Offset: []byte("o")}, `40{"pid":"s","offset":"o"}`},
		{SocketIO, Request{Verb: Hello, Offset: []byte("o")}, `40`},
		{SocketIO, Request{Verb: Join, ID: 7, Room: "r"}, `427["join","r"]`},
		{SocketIO, Request{Verb: Say, ID: 7, Room: "r", Payload: []byte("p")}, `42["say","r","p"]`},
		{SocketIO, Request{Verb: Echo, ID: 70, Payload: []byte("p")}, `4270["echo","p"]`},
		{Centrifuge, Request{Verb: Hello}, `{"connect":{},"id":1}`},
		{Centrifuge, Request{Verb: Join, Room: "r"}, `{"subscribe":{"channel":"r"},"id":2}`},
		{Centrifuge, Request{Verb: Say, ID: 7, Room: "r", Payload: []byte("p")}, `{"publish":{"channel":"r","data":"p"},"id":9}`},
		{Centrifuge, Request{Verb: Echo, ID: 7, Payload: []byte("p")}, `{"rpc":{"method":"echo","data":"p"},"id":9}`},
	} {
		if got := mustNew(t, c.name).Append([]byte("x"), c.r); string(got) != "x"+c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		name Name
		in   string
		kind Kind
		id   uint32
		load string
	}{
		{SocketIO, `0{"sid":"a","upgrades":[]}`, Open, 0, ""},
		{SocketIO, `40{"sid":"a"}`, Connected, 0, ""},
		{SocketIO, `40{"sid":"a","pid":"b"}`, Connected, 0, "b"},
		{SocketIO, `40{"pid":"b","sid":"a"}`, Connected, 0, "b"},
		{SocketIO, `44{"message":"no"}`, Refused, 0, `{"message":"no"}`},
		{SocketIO, `41`, Closed, 0, ""},
		{SocketIO, `1`, Closed, 0, ""},
		{SocketIO, `2`, Ping, 0, "3"},
		{SocketIO, `6`, Other, 0, ""},
		{SocketIO, `42["msg","abc"]`, Message, 0, "abc"},
		{SocketIO, `42["msg", "abc"]`, Message, 0, "abc"},
		{SocketIO, `42["msg","abc","offset"]`, Message, 0, "abc"},
		{SocketIO, `42["news","abc"]`, Other, 0, ""},
		{SocketIO, `42["msg",1]`, Bad, 0, ""},
		{SocketIO, `430[]`, Ack, 0, ""},
		{SocketIO, `4312["abc"]`, Ack, 12, "abc"},
		{SocketIO, `434294967295["abc"]`, Bad, 0, ""},
		{SocketIO, `43["abc"]`, Bad, 0, ""},
		{SocketIO, `451-["bin",{"_placeholder":true,"num":0}]`, Other, 0, ""},
		{SocketIO, `4`, Bad, 0, ""},
		{SocketIO, ``, Bad, 0, ""},
		{SocketIO, `<html>`, Bad, 0, ""},
		{Centrifuge, `{}`, Ping, 0, "{}"},
		{Centrifuge, `{"id":1,"connect":{"client":"a"}}`, Connected, 0, ""},
		{Centrifuge, `{"id":2,"subscribe":{}}`, Ack, 0, ""},
		{Centrifuge, `{"id":9,"rpc":{"data":"abc"}}`, Ack, 7, "abc"},
		{Centrifuge, `{"id":9,"publish":{}}`, Other, 0, ""},
		{Centrifuge, `{"id":9,"error":{"code":1}}`, Refused, 0, `"error":{"code":1}}`},
		{Centrifuge, `{"push":{"channel":"r","pub":{"data":"abc"}}}`, Message, 0, "abc"},
		{Centrifuge, `{"push":{"channel":"r","pub":{"data":7}}}`, Bad, 0, ""},
		{Centrifuge, `{"push":{"channel":"r","join":{}}}`, Other, 0, ""},
		{Centrifuge, `{"push":{"disconnect":{"code":3000}}}`, Closed, 0, ""},
		{Centrifuge, `{"id":0}`, Bad, 0, ""},
		{Centrifuge, `0{"sid":"a"}`, Bad, 0, ""},
	} {
		e, rest := mustNew(t, c.name).Parse([]byte(c.in))
		if e.Kind != c.kind || e.ID != c.id || string(e.Payload) != c.load || len(rest) != 0 {
			t.Errorf("%s: %s: got kind %d id %d %q, want kind %d id %d %q", c.name, c.in, e.Kind, e.ID, e.Payload, c.kind, c.id, c.load)
		}
	}
}

func TestOffset(t *testing.T) {
	for in, want := range map[string]string{
		`42["msg","abc","o-1"]`:       "o-1",
		`42["msg","abc"]`:             "",
		`42["msg","abc",null]`:        "",
		`42["msg","abc","o-1","and"]`: "o-1",
	} {
		if e, _ := mustNew(t, SocketIO).Parse([]byte(in)); e.Kind != Message || string(e.Offset) != want {
			t.Errorf("%s: got kind %d, offset %q, want %q", in, e.Kind, e.Offset, want)
		}
	}
}

func TestCentrifugeBatch(t *testing.T) {
	d := mustNew(t, Centrifuge)
	in := []byte("{}\n" + `{"push":{"channel":"r","pub":{"data":"a"}}}` + "\n" + `{"id":3,"rpc":{"data":"b"}}`)
	var kinds []Kind
	for len(in) > 0 {
		var e Event
		e, in = d.Parse(in)
		kinds = append(kinds, e.Kind)
	}
	if len(kinds) != 3 || kinds[0] != Ping || kinds[1] != Message || kinds[2] != Ack {
		t.Errorf("got %v", kinds)
	}
}

func TestTarget(t *testing.T) {
	for _, c := range []struct {
		name       Name
		path, want string
	}{
		{SocketIO, "", "/socket.io/?EIO=4&transport=websocket"},
		{SocketIO, "/", "/socket.io/?EIO=4&transport=websocket"},
		{SocketIO, "/x/", "/x/?EIO=4&transport=websocket"},
		{Centrifuge, "", "/connection/websocket"},
		{Centrifuge, "/x", "/x"},
	} {
		if got := c.name.Target(c.path); got != c.want {
			t.Errorf("%s %q: got %q, want %q", c.name, c.path, got, c.want)
		}
	}
}

func fuzzParse(f *testing.F, name Name, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	d := mustNew(f, name)
	f.Fuzz(func(t *testing.T, p []byte) {
		for n := 0; len(p) > 0; n++ {
			e, rest := d.Parse(p)
			if len(rest) >= len(p) {
				t.Fatalf("no progress at %q", p)
			}
			if e.Kind != Ping && !bytes.Contains(p, e.Payload) || !bytes.Contains(p, e.Offset) {
				t.Fatalf("payload %q, offset %q are not of %q", e.Payload, e.Offset, p)
			}
			p = rest
		}
	})
}

func FuzzSocketIO(f *testing.F) {
	fuzzParse(f, SocketIO, `0{"sid":"a"}`, `40{"sid":"a"}`, `40{"sid":"a","pid":"b"}`, `42["msg","abc"]`, `42["msg","abc","o"]`, `4312["abc"]`, `2`, `44{}`, `451-["a"]`)
}

func FuzzCentrifuge(f *testing.F) {
	fuzzParse(f, Centrifuge, "{}\n{}", `{"id":1,"connect":{}}`, `{"push":{"channel":"r","pub":{"data":"abc"}}}`, `{"id":3,"rpc":{"data":"b"}}`)
}

func BenchmarkParseSocketIO(b *testing.B) {
	p := []byte(`42["msg","` + string(make([]byte, 128)) + `"]`)
	d := mustNew(b, SocketIO)
	for b.Loop() {
		d.Parse(p)
	}
}
