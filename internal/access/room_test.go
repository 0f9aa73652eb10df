package access

import (
	"errors"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

func TestRoomNames(t *testing.T) {
	for name, want := range map[string]auth.Code{
		"room": "", "": BadRoom, "\x00user:ada": BadRoom, "\xff": BadRoom,
		strings.Repeat("é", maxRoom/2): "", strings.Repeat("x", maxRoom+1): BadRoom,
		strings.Repeat("x", idLength): auth.Forbidden, strings.Repeat(" ", idLength): "",
	} {
		for _, a := range []auth.Action{auth.Join, auth.Presence, auth.History} {
			if got := codeOf(checkRoom(&idle{}, a, belfry.Room(name))); got != want {
				t.Errorf("%s %q: %q, want %q", a, name, got, want)
			}
		}
	}
	if err := checkRoom(&idle{}, auth.Publish, belfry.Room(strings.Repeat("x", idLength))); err != nil {
		t.Errorf("to send to another client: %v", err)
	}
}

func codeOf(err error) auth.Code {
	var e *auth.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}
