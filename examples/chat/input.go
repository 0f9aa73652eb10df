package chat

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

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
