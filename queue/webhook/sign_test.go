package webhook

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

// TestTheSignatureOfTheSpecification: the example that the libraries of Standard
// Webhooks are tested with.
func TestTheSignatureOfTheSpecification(t *testing.T) {
	k, err := key("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	h := http.Header{}
	sign(h, [][]byte{k, k}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	if got := h.Get("webhook-signature"); got != want+" "+want || h.Get("webhook-timestamp") != "1614265330" {
		t.Errorf("headers are %v", h)
	}
}

func TestIDsThatCouldMoveTheBorder(t *testing.T) {
	for _, id := range []string{"a.1.{}", "a b", "é", "a\r\nx: y", ""} {
		if got := messageID(id); strings.ContainsAny(got, ". \r\n") || id != "" && got == id {
			t.Errorf("%q became %q", id, got)
		}
	}
	if got := messageID("ada:order.new:17"); !strings.HasPrefix(got, "sha256-") || got != messageID("ada:order.new:17") {
		t.Errorf("id is %q", got)
	}
	if got := messageID("ada:order:17"); got != "ada:order:17" {
		t.Errorf("id is %q", got)
	}
}

func TestTheBodyIsTheSameInEveryTry(t *testing.T) {
	e := &belfry.Event{ID: "1", Namespace: "/", Name: "<e>", Args: []byte(` [ "<&>", 12345678901234567890 ] `), Time: time.Unix(1, 5).UTC(), User: "ada", Reply: true}
	one, err := encode(e)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"type":"<e>","timestamp":"1970-01-01T00:00:01.000000005Z","data":{"id":"1","namespace":"/","args":["<&>",12345678901234567890],"user":"ada","reply":true}}`
	if string(one) != want {
		t.Errorf("body is\n%s, want\n%s", one, want)
	}
	if two, _ := encode(e); !bytes.Equal(one, two) {
		t.Error("another time it is another")
	}
	if _, err := encode(&belfry.Event{Args: []byte("{")}); err == nil {
		t.Error("what is no JSON was encoded")
	}
}

// FuzzAnswer: whatever a receiver answers becomes a JSON array, or an error.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{"", "[]", " [1, {\"a\":2}]\n", "true", "OK", "[", "\"\xff\""} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		a := answer(text)
		var args []json.RawMessage
		if a.Error == "" && json.Unmarshal(a.Args, &args) != nil || a.Error != "" && a.Args != nil {
			t.Errorf("%q became %+v", text, a)
		}
		retryAfter(http.Header{"Retry-After": {string(text)}}, time.Now())
	})
}
