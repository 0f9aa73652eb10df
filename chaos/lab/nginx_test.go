package lab

import (
	"os"
	"strings"
	"testing"
)

// TestTemplate: the configuration that people are told to use can be adapted.
func TestTemplate(t *testing.T) {
	text, err := os.ReadFile("../../deploy/nginx/belfry.conf")
	if err != nil {
		t.Fatal(err)
	}
	to := []string{"127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"}
	for _, sticky := range []bool{false, true} {
		got, err := adapt(string(text), "127.0.0.1:4", to, sticky)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range append(to, "listen 127.0.0.1:4;") {
			if !strings.Contains(got, want) {
				t.Errorf("%q is not there", want)
			}
		}
		if strings.Contains(got, "10.0.0.") || strings.Contains(got, "hash ") != sticky {
			t.Errorf("sticky %v:\n%s", sticky, got)
		}
	}
	if _, err := adapt(string(text), "127.0.0.1:4", to[:2], false); err == nil {
		t.Error("two addresses were put in the place of three")
	}
}
