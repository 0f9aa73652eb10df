package interop

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/interop/subject"
	"github.com/seed-09a96375/belfry/interop/wire"
)

// httpCase is an entry of testdata/http.json: requests, one after the other, and
// what is answered.
type httpCase struct {
	Name    string     `json:"name"`
	Profile string     `json:"profile"`
	Steps   []httpStep `json:"steps"`
}

// httpStep is a request. {sid} in its target is the session id of the last
// handshake.
type httpStep struct {
	Do      string            `json:"do"` // method and target
	Upgrade bool              `json:"upgrade"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	filled
	Expect answer `json:"expect"`

	// Together are requests sent at the same time; ExpectAll their answers in
	// any order.
	Together  []string `json:"together"`
	ExpectAll []answer `json:"expect_all"`
	// Abort gives the request up after a while, unanswered.
	Abort bool `json:"abort"`
	// Eventually repeats the request until the answer is right.
	Eventually bool `json:"eventually"`

	// Belfry is what Belfry answers differently on purpose.
	Belfry *struct {
		Expect answer `json:"expect"`
		Why    string `json:"why"`
	} `json:"belfry"`
}

// filled is text with a long middle.
type filled struct {
	Before string `json:"before"`
	Fill   int    `json:"fill"`
	After  string `json:"after"`
}

func (f filled) String() string { return f.Before + strings.Repeat("a", f.Fill) + f.After }

// answer is what is compared of a response. Ids are "*".
type answer struct {
	Status  int               `json:"status"`
	Headers map[string]string `json:"headers"`
	Absent  []string          `json:"absent"` // headers that must not be there
	Body    *string           `json:"body"`   // nil, and nothing filled: not compared
	filled
}

func httpCases(t *testing.T, kind server, s *subject.Subject) {
	for _, c := range load[[]httpCase](t, "http.json") {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			p := &requester{t: t, base: s.URLs[c.Profile]}
			for i, step := range c.Steps {
				if step.Belfry != nil && kind == belfryServer {
					step.Expect = step.Belfry.Expect
				}
				if err := p.play(step); err != nil {
					t.Fatalf("step %d, %s: %v", i+1, step.Do, err)
				}
			}
		})
	}
}

// requester plays the steps of one case.
type requester struct {
	t    *testing.T
	base string
	sid  string
}

func (p *requester) play(s httpStep) error {
	switch {
	case s.Together != nil:
		return p.together(s)
	case s.Abort:
		return p.abort(s)
	case s.Eventually:
		var err error
		eventually(func() bool { err = p.once(s); return err == nil })
		return err
	}
	return p.once(s)
}

func (p *requester) once(s httpStep) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	res, err := wire.Do(ctx, p.request(s))
	if err != nil {
		return err
	}
	if m := idPattern.FindSubmatch(unescaped(res.Body)); m != nil && bytes.Contains(res.Body, []byte("upgrades")) {
		p.sid = string(m[2])
	}
	return s.Expect.differs(res)
}

func (p *requester) request(s httpStep) wire.Request {
	method, target, _ := strings.Cut(s.Do, " ")
	r := wire.Request{Method: method, URL: p.base + strings.ReplaceAll(target, "{sid}", p.sid), Header: map[string]string{}}
	if s.Upgrade {
		r.Header = wire.UpgradeHeader()
	}
	for k, v := range s.Headers {
		r.Header[k] = v
	}
	r.Body = []byte(s.Body + s.String())
	return r
}

// together sends all requests at once and finds an answer for each expectation.
func (p *requester) together(s httpStep) error {
	var wg sync.WaitGroup
	all := make([]*wire.Response, len(s.Together))
	errs := make([]error, len(s.Together))
	for i, do := range s.Together {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
			defer cancel()
			all[i], errs[i] = wire.Do(ctx, p.request(httpStep{Do: do}))
		})
	}
	wg.Wait()
	for _, want := range s.ExpectAll {
		if !want.among(all) {
			return fmt.Errorf("no answer is %+v among %s, errors %v", want, asJSON(all), errs)
		}
	}
	return nil
}

func (a answer) among(all []*wire.Response) bool {
	for _, res := range all {
		if res != nil && a.differs(res) == nil {
			return true
		}
	}
	return false
}

func (p *requester) abort(s httpStep) error {
	ctx, cancel := context.WithTimeout(p.t.Context(), 200*time.Millisecond)
	defer cancel()
	if res, err := wire.Do(ctx, p.request(s)); err == nil {
		return fmt.Errorf("answered with %d %s before it was given up", res.Status, res.Body)
	}
	return nil
}

// differs names the first difference between a and the response.
func (a answer) differs(res *wire.Response) error {
	if res.Status != a.Status {
		return fmt.Errorf("status %d %s, want %d", res.Status, res.Body, a.Status)
	}
	for k, want := range a.Headers {
		if got := header(k, cookieID.ReplaceAllString(res.Header.Get(k), "=*;")); got != header(k, want) {
			return fmt.Errorf("header %s: %q, want %q", k, got, want)
		}
	}
	for _, k := range a.Absent {
		if got := res.Header.Values(k); got != nil {
			return fmt.Errorf("header %s is there: %q", k, got)
		}
	}
	if a.Body == nil && a.Fill == 0 {
		return nil
	}
	want := a.String()
	if a.Body != nil {
		want = *a.Body
	}
	got, err := decoded(res)
	if err != nil {
		return err
	}
	if g := anonymous(got); g != want {
		return fmt.Errorf("body %q, want %q", g, want)
	}
	return nil
}

// header returns a header in the form that is compared: the attributes of a
// cookie have no order.
func header(name, value string) string {
	if name != "Set-Cookie" {
		return value
	}
	parts := strings.Split(value, "; ")
	slices.Sort(parts[1:])
	return strings.Join(parts, "; ")
}

var (
	cookieID  = regexp.MustCompile(`=[A-Za-z0-9_-]{20};`)
	escapedID = regexp.MustCompile(`\\"sid\\":\\"[A-Za-z0-9_-]{20}\\"`)
)

func anonymous(body []byte) string {
	body = escapedID.ReplaceAll(body, []byte(`\"sid\":\"*\"`))
	return string(withoutIDs(body))
}

func unescaped(body []byte) []byte { return bytes.ReplaceAll(body, []byte(`\"`), []byte(`"`)) }

// decoded undoes the content encoding.
func decoded(res *wire.Response) ([]byte, error) {
	var r io.Reader
	var err error
	switch enc := res.Header.Get("Content-Encoding"); enc {
	case "":
		return res.Body, nil
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(res.Body))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(res.Body))
	default:
		return nil, fmt.Errorf("content encoding %q", enc)
	}
	if err != nil {
		return nil, fmt.Errorf("decode body: %w", err)
	}
	return io.ReadAll(r)
}
