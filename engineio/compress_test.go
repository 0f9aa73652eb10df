package engineio

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"
)

func TestCompressedAnswers(t *testing.T) {
	long := strings.Repeat("abcd", 300)
	for _, c := range []struct {
		name, accept, text string
		o                  Options
		send               SendOptions
		coding             string
	}{
		{name: "gzip", accept: "gzip, deflate, br", text: long, coding: "gzip"},
		{name: "deflate only", accept: "deflate", text: long, coding: "deflate"},
		{name: "nothing accepted", accept: "", text: long},
		{name: "short", accept: "gzip", text: "short"},
		{name: "just below the threshold", accept: "gzip", text: strings.Repeat("x", 1022)},
		{name: "at the threshold", accept: "gzip", text: strings.Repeat("x", 1023), coding: "gzip"},
		{name: "not wanted", accept: "gzip", text: long, send: SendOptions{NoCompress: true}},
		{name: "off", accept: "gzip", text: long, o: Options{HTTPCompression: -1}},
		{name: "lower threshold", accept: "gzip", text: "xxxxxxxxxxxxxxx", o: Options{HTTPCompression: 10}, coding: "gzip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ts := serve(t, c.o, nil)
			p := ts.poll(4)
			s := ts.next()
			for range 2 { // with a fresh writer, with a used one
				if err := s.Send(text(c.text), c.send); err != nil {
					t.Fatal(err)
				}
				res := p.get("Accept-Encoding: " + c.accept)
				if got := res.Header.Get("Content-Encoding"); got != c.coding {
					t.Errorf("coding %q, want %q", got, c.coding)
				}
				if got := inflate(t, c.coding, res.body); got != "4"+c.text {
					t.Errorf("body of %d bytes", len(got))
				}
			}
		})
	}
}

func inflate(t *testing.T, coding, body string) string {
	t.Helper()
	var r io.Reader = strings.NewReader(body)
	var err error
	switch coding {
	case "gzip":
		r, err = gzip.NewReader(r)
	case "deflate":
		r, err = zlib.NewReader(r)
	}
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestNegotiate(t *testing.T) {
	for accept, want := range map[string]string{
		"": "", "gzip": "gzip", "deflate": "deflate", "br": "", "*": "gzip", "x-gzip": "gzip",
		"deflate, gzip": "gzip", "gzip;q=0, deflate": "deflate", "gzip;q=0.5, deflate;q=0.9": "deflate",
		"gzip;q=0.5,deflate;q=0.5": "gzip", "*;q=0.1, gzip;q=0": "deflate", "identity;q=1, gzip;q=0.2": "gzip",
		"GZip ; Q=1": "gzip", "gzip;q=x": "", "gzip;q=2": "", "gzip;q=-1": "", "gzip;q=NaN": "", "*;q=0": "",
		"gzip;q=0;q=1": "gzip", ";": "", ",,": "",
	} {
		if got := negotiate([]string{accept}); got != want {
			t.Errorf("%q: %q, want %q", accept, got, want)
		}
	}
	if got := negotiate([]string{"br", "deflate"}); got != "deflate" {
		t.Errorf("two header lines: %q", got)
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{"", "gzip", "gzip;q=0.5, deflate;q=1", "*;q=0.1,gzip;q=0", ";;q=", "deflate;q=1e-9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		got := negotiate([]string{accept})
		if got != "" && got != "gzip" && got != "deflate" {
			t.Errorf("%q", got)
		}
		if got != "" && !strings.Contains(accept, "*") && !strings.Contains(strings.ToLower(accept), got) {
			t.Errorf("%q was not offered in %q", got, accept)
		}
	})
}
