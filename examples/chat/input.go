package chat

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/seed-09a96375/belfry"
)

const (
	lobby = "lobby" // the room of those who name none
	// listeners are all who have not joined.
	listeners belfry.Room = "chat-listeners"
)

// roomOf is the room of that name. The prefix keeps it apart from rooms of other
// applications, and from those that each socket has.
func roomOf(name string) belfry.Room { return belfry.Room("chat:" + name) }

// cleanRoom returns the name of a room, that of the lobby if it is empty.
func cleanRoom(name string) (string, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	if name == "" {
		return lobby, nil
	}
	if len(name) > maxName || !isPlain(strings.ReplaceAll(name, "-", "")) {
		return "", fmt.Errorf("the room must have 1 to %d letters a to z, digits and hyphens", maxName)
	}
	return name, nil
}

// isPlain reports whether text is letters and digits of ASCII, one at least.
func isPlain(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}) < 0
}

// cleanName also makes one space of each run of white space: a name is one line.
func cleanName(name string) (string, error) {
	return clean("the name", strings.Join(strings.Fields(name), " "), maxName)
}

// clean trims what a person typed and checks its length.
func clean(what, text string, most int) (string, error) {
	text = strings.TrimSpace(text)
	switch n := utf8.RuneCountInString(text); {
	case n == 0:
		return "", fmt.Errorf("%s is empty", what)
	case n > most:
		return "", fmt.Errorf("%s has %d characters: at most %d are allowed", what, n, most)
	}
	return text, nil
}
