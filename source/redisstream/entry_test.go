package redisstream

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzObject: what is made of fields is the JSON of them.
func FuzzObject(f *testing.F) {
	f.Add("_class", "x", "message", "\"<é>\\")
	f.Add("", "\x00", "\u2028", "\n")
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		fields := map[string]string{k1: v1, k2: v2}
		var got map[string]string
		if err := json.Unmarshal(object(fields), &got); err != nil {
			t.Fatal(err)
		}
		if utf8.ValidString(k1+v1+k2+v2) && utf8.ValidString(k1) && utf8.ValidString(v1) && utf8.ValidString(k2) && !maps.Equal(got, fields) {
			t.Errorf("%q became %q", fields, got)
		}
		timeOf(k1)
	})
}

func TestReasonsAreText(t *testing.T) {
	if got := poisonText(errors.New(strings.Repeat("é", 600) + "\xff")); len(got) > 1024 || !utf8.ValidString(got) {
		t.Errorf("reason has %d bytes", len(got))
	}
}
