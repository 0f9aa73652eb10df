package engineio

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// visit is a request as Options.Elsewhere got it.
type visit struct{ method, sid, body string }

// other serves what is said to be elsewhere, or does not.
func other(visits chan<- visit, serve bool) func(http.ResponseWriter, *http.Request, string) bool {
	return func(w http.ResponseWriter, r *http.Request, sid string) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			body = append(body, err.Error()...)
		}
		visits <- visit{r.Method, sid, string(body)}
		if serve {
			_, _ = io.WriteString(w, "served")
		}
		return serve
	}
}

// foreignID is of no session here.
var foreignID = Tag{1, 2, 3}.newID().String()

func TestElsewhere(t *testing.T) {
	visits := make(chan visit, 1)
	ts := serve(t, Options{Elsewhere: other(visits, true), CORS: &CORS{Origin: "*"}}, nil)
	polling := polling4 + "&sid=" + foreignID
	for _, c := range []struct {
		request string
		want    visit
	}{
		{get(polling), visit{"GET", foreignID, ""}},
		{post(polling, "4hello"), visit{"POST", foreignID, "4hello"}},
		{upgradeRequest(ws4 + "&sid=" + foreignID), visit{"GET", foreignID, ""}},
		{get(polling4 + "&sid=someone%20else"), visit{"GET", "someone else", ""}},
	} {
		res := raw(t, ts.addr, c.request)
		if got := receive(t, visits, "a visit"); got != c.want {
			t.Errorf("asked elsewhere for %+v, want %+v", got, c.want)
		}
		if res.StatusCode != http.StatusOK || res.body != "served" || res.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("answer %s %q %v", res.Status, res.body, res.Header)
		}
	}
}

// TestNotElsewhere: what this server can answer itself stays here, and nobody is
// asked twice.
func TestNotElsewhere(t *testing.T) {
	visits := make(chan visit, 1)
	refused := make(chan Code, 1)
	ts := serve(t, Options{
		Elsewhere:         other(visits, false),
		OnConnectionError: func(e ConnectionError) { refused <- e.Code },
	}, nil)
	p := ts.poll(4)
	for request, code := range map[string]Code{
		get("EIO=4&transport=none&sid=" + foreignID): CodeTransportUnknown,
		post(polling4, "4"):                          CodeBadHandshakeMethod,
		get(ws4 + "&sid=" + p.sid):                   CodeBadRequest,
	} {
		raw(t, ts.addr, request)
		select {
		case v := <-visits:
			t.Errorf("%q asked elsewhere: %+v", request, v)
		default:
		}
		if got := receive(t, refused, "a refusal"); got != code {
			t.Errorf("%q is refused with %v, want %v", request, got, code)
		}
	}
	gone := &pollClient{t: t, addr: ts.addr, eio: 4, sid: foreignID}
	gone.wantGone()
	receive(t, visits, "a visit")
	if got := receive(t, refused, "a refusal"); got != CodeSessionUnknown {
		t.Errorf("refused with %v", got)
	}
	if res := raw(t, ts.addr, upgradeRequest(ws4+"&sid="+foreignID)); res.StatusCode != http.StatusBadRequest || res.body != "Session ID unknown" {
		t.Errorf("WebSocket: %s %q", res.Status, res.body)
	}
}

// TestElsewhereReadsInTime: a body that drips is not waited for longer than for
// a session that is here.
func TestElsewhereReadsInTime(t *testing.T) {
	visits := make(chan visit, 1)
	ts := serve(t, Options{Elsewhere: other(visits, true), ReadTimeout: 50 * time.Millisecond}, nil)
	c, r := dial(t, ts.addr)
	request := plain("POST", polling4+"&sid="+foreignID, "4", "Content-Length: 1000")
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	readResponse(t, r)
	if v := receive(t, visits, "a visit"); !strings.Contains(v.body, "timeout") {
		t.Errorf("body %q, want a timeout", v.body)
	}
}
