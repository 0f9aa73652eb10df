package meet

import (
	"encoding/json"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// FuzzRoom holds that a room that is accepted reads the same in an address.
func FuzzRoom(f *testing.F) {
	for _, id := range []string{"", "r", "engine-room", "..", "a/b", "a b", "комната", "हिन्दी", "a\x00", "\xff", "%2e%2e"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		room, err := cleanRoom(id)
		if err != nil {
			return
		}
		back, err := url.PathUnescape(path.Base(path.Clean("/room/" + url.PathEscape(id))))
		if err != nil || back != id {
			t.Errorf("room %q is %q in an address, %v", id, back, err)
		}
		if string(room) != prefix+id || utf8.RuneCountInString(id) > maxRoom {
			t.Errorf("room %q is accepted as %q", id, room)
		}
	})
}

// FuzzUser holds that a user who is accepted can be shown on one line.
func FuzzUser(f *testing.F) {
	for _, id := range []string{"", " ", "Ada", "  Ada ", "a\nb", "\xff", "\u202eevil", strings.Repeat("é", 65)} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		user, err := cleanUser(id)
		if err != nil {
			return
		}
		n := utf8.RuneCountInString(user)
		if n == 0 || n > maxUser || strings.ContainsFunc(user, unicode.IsControl) || !utf8.ValidString(user) {
			t.Errorf("user %q is accepted as %q", id, user)
		}
	})
}

// FuzzSignal holds that what is passed on is what browsers expect.
func FuzzSignal(f *testing.F) {
	for _, raw := range []string{
		``, `null`, `{}`, `[]`, `1`, `{"type":"offer","sdp":"v=0"}`, `{"type":"answer","sdp":"v=0"}`,
		`{"type":"offer","sdp":1}`, `{"candidate":"","sdpMid":"0"}`, `{"candidate":null}`, `{"candidate":"c"} `,
	} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, k := range signals {
			if !k.check(raw) {
				continue
			}
			var fields map[string]any
			if err := json.Unmarshal(raw, &fields); err != nil || len(fields) == 0 {
				t.Errorf("%s of %q is accepted: %v", k.event, raw, err)
			}
		}
	})
}
