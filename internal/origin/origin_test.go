package origin_test

import (
	"net/http"
	"testing"

	"github.com/seed-09a96375/belfry/internal/origin"
)

func TestAllowed(t *testing.T) {
	for _, e := range []struct {
		header, value string
		patterns      []string
		want          bool
	}{
		{"", "", nil, true},
		{"Origin", "https://Example.org:8443", nil, true},
		{"Origin", "https://example.org", nil, false},
		{"Origin", "null", nil, false},
		{"Origin", "https://a.other.org", []string{"https://*.OTHER.org"}, true},
		{"Origin", "https://other.org", []string{"https://*.other.org"}, false},
		{"Origin", "https://a.b/x.other.org", []string{"https://*.other.org"}, false},
		{"Origin", "file://", []string{"*"}, true},
		{"Sec-Websocket-Origin", "https://bad.org", nil, false},
	} {
		r := &http.Request{Host: "example.org:8443", Header: http.Header{}}
		if e.header != "" {
			r.Header.Set(e.header, e.value)
		}
		if got := origin.Allowed(r, e.patterns); got != e.want {
			t.Errorf("%s %q with %q: %v", e.header, e.value, e.patterns, got)
		}
	}
}

func TestValidate(t *testing.T) {
	if err := origin.Validate([]string{"*", "https://*.a"}); err != nil {
		t.Error(err)
	}
	if origin.Validate([]string{"https://[a"}) == nil {
		t.Error("a broken pattern passes")
	}
}
