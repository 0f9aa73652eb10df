package webhook_test

import (
	"encoding/pem"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/client"
	"github.com/seed-09a96375/belfry/queue/webhook"
)

func delivery(reply bool) *belfry.Delivery {
	d := &belfry.Delivery{Event: *event(1), Tries: 2}
	d.Reply = reply
	return d
}

func TestWhatAStatusMeans(t *testing.T) {
	r := newReceiver(t)
	r.respond = func(w http.ResponseWriter, req *http.Request, _ *client.WebhookEvent, _ int) {
		for _, h := range []string{"Retry-After", "Location"} {
			if v := req.Header.Get("X-" + h); v != "" {
				w.Header().Set(h, v)
			}
		}
		code := map[string]int{"200": 200, "204": 204, "302": 302, "400": 400, "401": 401, "404": 404, "410": 410, "413": 413, "422": 422, "429": 429, "500": 500, "503": 503}[req.Header.Get("X-Status")]
		w.WriteHeader(code)
		if code >= 400 {
			_, _ = io.WriteString(w, "<why>")
		}
	}
	soon := time.Now().Add(20 * time.Minute).UTC().Format(http.TimeFormat)
	for _, test := range []struct {
		status, retryAfter string
		poison             bool
		after              time.Duration // at least, less a minute for dates
		err                string
	}{
		{"200", "", false, 0, ""},
		{"204", "", false, 0, ""},
		{"302", "", false, 0, "status 302"},
		{"400", "", true, 0, `status 400: "<why>"`},
		{"401", "", false, 0, `status 401`},
		{"404", "", false, 0, `status 404`},
		{"410", "", true, 0, `status 410`},
		{"413", "", true, 0, `status 413`},
		{"422", "5", true, 0, `status 422`},
		{"429", "120", false, 2 * time.Minute, `status 429`},
		{"503", soon, false, 19 * time.Minute, `status 503`},
		{"503", "99999999", false, time.Hour, `status 503`},
		{"503", "soon", false, 0, `status 503`},
		{"500", "", false, 0, `status 500: "<why>"`},
	} {
		o := r.options()
		o.Headers = map[string]string{"X-Status": test.status, "X-Retry-After": test.retryAfter, "X-Location": r.URL}
		_, err := newWebhook(t, o).Handle(t.Context(), delivery(false))
		var poison *belfry.PoisonError
		var retry *belfry.RetryError
		if errors.As(err, &poison) != test.poison || errors.As(err, &retry) != (test.after > 0) {
			t.Errorf("%s: error is %T", test.status, err)
		}
		if retry != nil && (retry.After < test.after || retry.After > time.Hour) {
			t.Errorf("%s: again after %v", test.status, retry.After)
		}
		if (err == nil) != (test.err == "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: error is %v, want %q", test.status, err, test.err)
		}
	}
	if len(r.wrong) > 0 {
		t.Error(r.wrong)
	}
}

func TestTheAnswerIsTheReply(t *testing.T) {
	r := newReceiver(t)
	text := ""
	r.respond = func(w http.ResponseWriter, _ *http.Request, e *client.WebhookEvent, _ int) {
		if !e.Data.Reply {
			t.Error("the receiver cannot know that somebody waits")
		}
		_, _ = io.WriteString(w, text)
	}
	w := newWebhook(t, r.options())
	for body, want := range map[string]string{
		"":                          "[]",
		`{"ok":1}`:                  `[{"ok":1}]`,
		" [1,2] \n":                 "[1,2]",
		`"text"`:                    `["text"]`,
		"OK":                        "error: the backend's answer is not JSON",
		"\"\xff\"":                  "error: the backend's answer is not JSON",
		strings.Repeat(" ", 65<<10): "error: the backend's answer is too large",
	} {
		text = body
		a, err := w.Handle(t.Context(), delivery(true))
		if err != nil {
			t.Fatal(err)
		}
		got := string(a.Args)
		if a.Error != "" {
			got = "error: " + a.Error
		}
		if got != want {
			t.Errorf("%.20q became %s, want %s", body, got, want)
		}
	}
}

func TestNoRedirectIsFollowed(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the event went elsewhere") }))
	defer other.Close()
	r := newReceiver(t)
	r.respond = func(w http.ResponseWriter, req *http.Request, _ *client.WebhookEvent, _ int) {
		http.Redirect(w, req, other.URL, http.StatusTemporaryRedirect)
	}
	if _, err := newWebhook(t, r.options()).Handle(t.Context(), delivery(false)); err == nil || err.Error() != "status 307" {
		t.Errorf("error is %v", err)
	}
}

func TestAReceiverThatIsSilent(t *testing.T) {
	r := newReceiver(t)
	let := make(chan struct{})
	r.respond = func(http.ResponseWriter, *http.Request, *client.WebhookEvent, int) { <-let }
	o := r.options()
	o.Timeout = 50 * time.Millisecond
	var tries []webhook.Try
	o.Observe = func(try webhook.Try) { tries = append(tries, try) }
	_, err := newWebhook(t, o).Handle(t.Context(), delivery(false))
	close(let)
	if err == nil || strings.Contains(err.Error(), r.URL) {
		t.Errorf("error is %v", err)
	}
	if len(tries) != 1 || tries[0].Err == nil || tries[0].Number != 2 || tries[0].Webhook != "w" || tries[0].Status != 0 {
		t.Errorf("observed %+v", tries)
	}
}

func TestOnlyTheAuthorityThatIsNamedIsTrusted(t *testing.T) {
	r := newReceiver(t)
	secure := httptest.NewTLSServer(r)
	defer secure.Close()
	o := r.options()
	o.URL = secure.URL
	if _, err := newWebhook(t, o).Handle(t.Context(), delivery(false)); err == nil {
		t.Error("a certificate of nobody was trusted")
	}
	o.CA = certificate(secure)
	if _, err := newWebhook(t, o).Handle(t.Context(), delivery(false)); err != nil {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	good := webhook.Options{Name: "w", URL: "https://backend.example.com", Secret: newSecret()}
	with := func(change func(*webhook.Options)) webhook.Options {
		o := good
		change(&o)
		return o
	}
	for want, o := range map[string]webhook.Options{
		"":                                         good,
		"Options.Name is empty":                    with(func(o *webhook.Options) { o.Name = "" }),
		"Options.URL must be a URL":                with(func(o *webhook.Options) { o.URL = "backend" }),
		"Options.URL is http:// to another":        with(func(o *webhook.Options) { o.URL = "http://10.0.0.1/" }),
		"Options.Secret must be base64":            with(func(o *webhook.Options) { o.Secret = "" }),
		"Options.OldSecret must be base64":         with(func(o *webhook.Options) { o.OldSecret = "whsec_c2hvcnQ=" }),
		"Options.CA is not PEM":                    with(func(o *webhook.Options) { o.CA = "x" }),
		`Options.Headers is "webhook-id"`:          with(func(o *webhook.Options) { o.Headers = map[string]string{"webhook-id": "x"} }),
		"Options.Timeout is 1ms":                   with(func(o *webhook.Options) { o.Timeout = time.Millisecond }),
		"Options.Concurrency is -1":                with(func(o *webhook.Options) { o.Concurrency = -1 }),
		"Options.Waiting is 3":                     with(func(o *webhook.Options) { o.Waiting = 3 }),
		"Options.MaxTries is -2":                   with(func(o *webhook.Options) { o.MaxTries = -2 }),
		"Options.MaxBackoff is 1ms: must be at":    with(func(o *webhook.Options) { o.MaxBackoff = time.Millisecond }),
		"Options.ReclaimAfter is 1ms: must be at ": with(func(o *webhook.Options) { o.ReclaimAfter = time.Millisecond }),
	} {
		err := o.Validate()
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), "webhook: "+want) {
			t.Errorf("error is %v, want %q", err, want)
		}
	}
	for _, u := range []string{"http://localhost:1/x", "http://127.0.0.1/x", "http://[::1]/x"} {
		if err := with(func(o *webhook.Options) { o.URL = u }).Validate(); err != nil {
			t.Error(err)
		}
	}
	if err := with(func(o *webhook.Options) { o.URL, o.Insecure = "http://backend/", true }).Validate(); err != nil {
		t.Error(err)
	}
}

func certificate(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
}
