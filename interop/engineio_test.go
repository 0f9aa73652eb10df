package interop

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/interop/subject"
	"github.com/seed-09a96375/belfry/interop/wire"
)

// engineIO tests the Engine.IO protocol, revision 4, against a server that
// echoes every message. It covers what the protocol's own test suite covers.
func engineIO(t *testing.T, s *subject.Subject) {
	for name, test := range map[string]func(*testing.T, engine){
		"handshake":                 engineHandshake,
		"handshake refused":         engineRefusals,
		"text over polling":         enginePollingText,
		"binary over polling":       enginePollingBinary,
		"heartbeat over polling":    enginePollingHeartbeat,
		"silence over polling":      enginePollingSilence,
		"close over polling":        enginePollingClose,
		"messages over websocket":   engineSocketMessages,
		"invalid over websocket":    engineSocketInvalid,
		"heartbeat over websocket":  engineSocketHeartbeat,
		"silence over websocket":    engineSocketSilence,
		"close over websocket":      engineSocketClose,
		"upgrade":                   engineUpgrade,
		"upgrade keeps order":       engineUpgradeOrder,
		"upgrade given up":          engineUpgradeGivenUp,
		"polling after the upgrade": engineNoWayBack,
		"second websocket":          engineSecondSocket,
		"two POSTs at a time":       engineTwoPosts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, engine{s.URLs["engine"] + "/engine.io/"})
		})
	}
}

// engine is an Engine.IO endpoint that echoes.
type engine struct{ url string }

// polling is a session that speaks over polling.
type polling struct {
	t   *testing.T
	url string
	sid string
}

type handshake struct {
	SID          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval int      `json:"pingInterval"`
	PingTimeout  int      `json:"pingTimeout"`
	MaxPayload   int      `json:"maxPayload"`
}

func (e engine) polling(t *testing.T) *polling {
	t.Helper()
	p := &polling{t: t, url: e.url + "?EIO=4&transport=polling"}
	open := p.get()
	var h handshake
	if err := json.Unmarshal([]byte(open[1:]), &h); err != nil || open[0] != '0' {
		t.Fatalf("handshake %q: %v", open, err)
	}
	p.sid, p.url = h.SID, p.url+"&sid="+h.SID
	return p
}

// try sends a request within the session.
func (p *polling) try(method, body string) *wire.Response {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	res, err := wire.Do(ctx, wire.Request{Method: method, URL: p.url, Body: []byte(body)})
	if err != nil {
		p.t.Fatalf("%s %q: %v", method, body, err)
	}
	return res
}

func (p *polling) get() string {
	p.t.Helper()
	res := p.try(http.MethodGet, "")
	if res.Status != http.StatusOK || len(res.Body) == 0 {
		p.t.Fatalf("GET: %d %s", res.Status, res.Body)
	}
	return string(res.Body)
}

// getBeside starts a GET that runs beside what follows.
func (p *polling) getBeside() <-chan *wire.Response {
	res := make(chan *wire.Response, 1)
	go func() {
		ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
		defer cancel()
		r, _ := wire.Do(ctx, wire.Request{Method: http.MethodGet, URL: p.url})
		res <- r
	}()
	return res
}

func (p *polling) post(body string) {
	p.t.Helper()
	if res := p.try(http.MethodPost, body); res.Status != http.StatusOK || string(res.Body) != "ok" {
		p.t.Fatalf("POST %q: %d %s", body, res.Status, res.Body)
	}
}

// hears polls until all packets have come, and nothing else but pings and noops.
func (p *polling) hears(want ...string) {
	p.t.Helper()
	for len(want) > 0 {
		for _, got := range strings.Split(p.get(), "\x1e") {
			if got == "2" {
				p.post("3")
			}
			if got == "2" || got == "6" {
				continue
			}
			if len(want) == 0 || got != want[0] {
				p.t.Fatalf("received %q, want %q", got, want)
			}
			want = want[1:]
		}
	}
}

// gone checks that the session has ended.
func (p *polling) gone() {
	p.t.Helper()
	if res := p.try(http.MethodGet, ""); res.Status != http.StatusBadRequest {
		p.t.Fatalf("GET after the end: %d %s", res.Status, res.Body)
	}
}

// socket opens a WebSocket; query is appended to the usual one.
func (e engine) socket(t *testing.T, query string) *wire.Conn {
	t.Helper()
	conn, err := wire.Dial(t.Context(), e.url+"?EIO=4&transport=websocket"+query)
	if err != nil {
		t.Fatal(err)
	}
	patience := time.AfterFunc(10*time.Second, conn.Shut)
	t.Cleanup(func() { patience.Stop(); conn.Shut() })
	return conn
}

func (e engine) opened(t *testing.T) *wire.Conn {
	t.Helper()
	conn := e.socket(t, "")
	if f, err := conn.Read(); err != nil || f.Data[0] != '0' {
		t.Fatalf("open packet: %s, %v", f.Data, err)
	}
	return conn
}

func says(t *testing.T, conn *wire.Conn, text string) {
	t.Helper()
	if err := conn.Write(wire.Text, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// heard reads the next frame that is no ping, and answers those.
func heard(t *testing.T, conn *wire.Conn) wire.Frame {
	t.Helper()
	for {
		f, err := conn.Read()
		if err != nil {
			t.Fatal(err)
		}
		if string(f.Data) != "2" {
			return f
		}
		says(t, conn, "3")
	}
}

func hears(t *testing.T, conn *wire.Conn, want string) {
	t.Helper()
	if f := heard(t, conn); f.Op != wire.Text || string(f.Data) != want {
		t.Fatalf("received %s, want %s", f.Data, want)
	}
}

// ends reads until the WebSocket has ended.
func ends(t *testing.T, conn *wire.Conn) {
	t.Helper()
	for {
		_, err := conn.Read()
		var end *wire.CloseError
		if errors.As(err, &end) {
			if strings.Contains(end.Reason, "use of closed") {
				t.Fatal("the server did not end the connection")
			}
			return
		}
	}
}

func engineHandshake(t *testing.T, e engine) {
	want := handshake{PingInterval: 300, PingTimeout: 1200, MaxPayload: 1_000_000}
	check := func(text, upgrades string) {
		t.Helper()
		var h handshake
		d := json.NewDecoder(strings.NewReader(text[1:]))
		d.DisallowUnknownFields()
		if err := d.Decode(&h); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if text[0] != '0' || len(h.SID) != 20 || h.PingInterval != want.PingInterval ||
			h.PingTimeout != want.PingTimeout || h.MaxPayload != want.MaxPayload ||
			strings.Join(h.Upgrades, ",") != upgrades || h.Upgrades == nil {
			t.Errorf("open packet %s", text)
		}
	}
	p := polling{t: t, url: e.url + "?EIO=4&transport=polling"}
	check(p.get(), "websocket")
	f, err := e.socket(t, "").Read()
	if err != nil {
		t.Fatal(err)
	}
	check(string(f.Data), "")
}

func engineRefusals(t *testing.T, e engine) {
	for _, query := range []string{
		"transport=polling", "EIO=abc&transport=polling", "EIO=4", "EIO=4&transport=abc",
		"transport=websocket", "EIO=abc&transport=websocket",
	} {
		p := &polling{t: t, url: e.url + "?" + query}
		if res := p.try(http.MethodGet, ""); res.Status != http.StatusBadRequest {
			t.Errorf("GET %s: %d %s", query, res.Status, res.Body)
		}
		refuses(t, e.url+"?"+query)
	}
	p := &polling{t: t, url: e.url + "?EIO=4&transport=polling"}
	if res := p.try(http.MethodPost, ""); res.Status != http.StatusBadRequest {
		t.Errorf("handshake by POST: %d", res.Status)
	}
}

// refuses checks that an upgrade is refused, or accepted and ended at once.
func refuses(t *testing.T, url string) {
	t.Helper()
	conn, err := wire.Dial(t.Context(), url)
	if err != nil {
		var r *wire.Refused
		if !errors.As(err, &r) || r.Response.Status != http.StatusBadRequest {
			t.Errorf("upgrade of %s: %v", url, err)
		}
		return
	}
	defer conn.Shut()
	if f, err := conn.Read(); err == nil {
		t.Errorf("upgrade of %s: accepted, and received %s", url, f.Data)
	}
}

func enginePollingText(t *testing.T, e engine) {
	p := e.polling(t)
	p.post("4hello")
	p.hears("4hello")
	p.post("4€\x1e4😀\x1e4")
	p.hears("4€", "4😀", "4")
}

func enginePollingBinary(t *testing.T, e engine) {
	p := e.polling(t)
	p.post("4text\x1ebAQIDBA==")
	p.hears("4text", "bAQIDBA==")
}

func enginePollingHeartbeat(t *testing.T, e engine) {
	p := e.polling(t)
	for range 3 {
		if got := p.get(); got != "2" {
			t.Fatalf("received %q, want a ping", got)
		}
		p.post("3")
	}
	p.post("4alive")
	p.hears("4alive")
}

func enginePollingSilence(t *testing.T, e engine) {
	p := e.polling(t)
	if got := p.get(); got != "2" {
		t.Fatalf("received %q, want a ping", got)
	}
	eventually(func() bool { return p.try(http.MethodGet, "").Status == http.StatusBadRequest })
	p.gone()
}

func enginePollingClose(t *testing.T, e engine) {
	p := e.polling(t)
	pending := p.getBeside()
	p.post("1")
	if res := <-pending; res == nil || res.Status != http.StatusOK && res.Status != http.StatusBadRequest {
		t.Fatalf("the GET that was open: %+v", res)
	}
	p.gone()
}

func engineSocketMessages(t *testing.T, e engine) {
	conn := e.opened(t)
	for _, text := range []string{"4hello", "4€😀", "4" + strings.Repeat("x", 200_000)} {
		says(t, conn, text)
		hears(t, conn, text)
	}
	blob := bytes.Repeat([]byte{0, 1, 0xFF}, 50_000)
	if err := conn.Write(wire.Binary, blob); err != nil {
		t.Fatal(err)
	}
	if f := heard(t, conn); f.Op != wire.Binary || !bytes.Equal(f.Data, blob) {
		t.Fatalf("received %d bytes of opcode %d, want %d binary", len(f.Data), f.Op, len(blob))
	}
}

func engineSocketInvalid(t *testing.T, e engine) {
	for _, text := range []string{"abc", "", "7"} {
		conn := e.opened(t)
		says(t, conn, text)
		ends(t, conn)
	}
}

func engineSocketHeartbeat(t *testing.T, e engine) {
	conn := e.opened(t)
	for range 3 {
		if f, err := conn.Read(); err != nil || string(f.Data) != "2" {
			t.Fatalf("received %s, %v; want a ping", f.Data, err)
		}
		says(t, conn, "3")
	}
	says(t, conn, "4alive")
	hears(t, conn, "4alive")
}

func engineSocketSilence(t *testing.T, e engine) { ends(t, e.opened(t)) }

func engineSocketClose(t *testing.T, e engine) {
	conn := e.opened(t)
	says(t, conn, "1")
	ends(t, conn)
}

// upgrade moves the session to a WebSocket as clients do.
func (e engine) upgrade(t *testing.T, p *polling) *wire.Conn {
	t.Helper()
	conn := e.socket(t, "&sid="+p.sid)
	pending := p.getBeside()
	says(t, conn, "2probe")
	hears(t, conn, "3probe")
	if res := <-pending; res == nil || string(res.Body) != "6" && string(res.Body) != "2" {
		t.Fatalf("the GET that was open: %+v, want it released", res)
	}
	says(t, conn, "5")
	return conn
}

func engineUpgrade(t *testing.T, e engine) {
	p := e.polling(t)
	conn := e.upgrade(t, p)
	says(t, conn, "4hello")
	hears(t, conn, "4hello")
}

// engineUpgradeOrder sends over polling while the upgrade runs: nothing is lost,
// doubled or overtaken.
func engineUpgradeOrder(t *testing.T, e engine) {
	p := e.polling(t)
	conn := e.socket(t, "&sid="+p.sid)
	says(t, conn, "2probe")
	hears(t, conn, "3probe")
	p.post("4one\x1e4two")
	says(t, conn, "5")
	says(t, conn, "4three")
	for _, want := range []string{"4one", "4two", "4three"} {
		hears(t, conn, want)
	}
}

// engineUpgradeGivenUp closes the WebSocket after the probe: the session goes on
// over polling.
func engineUpgradeGivenUp(t *testing.T, e engine) {
	p := e.polling(t)
	conn := e.socket(t, "&sid="+p.sid)
	says(t, conn, "2probe")
	hears(t, conn, "3probe")
	conn.Shut()
	p.post("4still here")
	p.hears("4still here")
}

func engineNoWayBack(t *testing.T, e engine) {
	p := e.polling(t)
	conn := e.upgrade(t, p)
	says(t, conn, "4hello")
	hears(t, conn, "4hello")
	p.gone()
	if res := p.try(http.MethodPost, "4x"); res.Status != http.StatusBadRequest {
		t.Errorf("POST: %d", res.Status)
	}
	says(t, conn, "4unharmed")
	hears(t, conn, "4unharmed")
}

func engineSecondSocket(t *testing.T, e engine) {
	p := e.polling(t)
	conn := e.upgrade(t, p)
	says(t, conn, "4hello")
	hears(t, conn, "4hello")
	second := e.socket(t, "&sid="+p.sid)
	_ = second.Write(wire.Text, []byte("2probe")) // it may be closed by now
	ends(t, second)
	says(t, conn, "4unharmed")
	hears(t, conn, "4unharmed")
}
