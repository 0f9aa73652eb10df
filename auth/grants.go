package auth

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/seed-09a96375/belfry"
)

// Action is something that may be granted for a room.
type Action uint8

const (
	Join     Action = iota // become a member, and get what is sent to the room
	Publish                // send to the room
	Presence               // see who is in the room, and its state
	History                // read what was sent to the room
	actions
)

// String is the name that rules use.
func (a Action) String() string {
	if a >= actions {
		return "unknown"
	}
	return [actions]string{"join", "publish", "presence", "history"}[a]
}

// Rules are grants as people write them: for each action the rooms, as patterns.
// In a pattern "*" is any text, and {sub} the user: "chat:*", "inbox:{sub}". What
// is not listed is not allowed; the zero value allows nothing.
type Rules struct {
	Join     []string `json:"join,omitempty"`
	Publish  []string `json:"publish,omitempty"`
	Presence []string `json:"presence,omitempty"`
	History  []string `json:"history,omitempty"`
	// API allows what backends do: see Authenticator.Backend.
	API bool `json:"api,omitempty"`
	// Metrics allows what programs do that watch: see Authenticator.Watcher. Who has
	// API may do so, too.
	Metrics bool `json:"metrics,omitempty"`
}

func (r Rules) of(a Action) []string {
	return [actions][]string{r.Join, r.Publish, r.Presence, r.History}[a]
}

// isZero reports whether nothing is allowed.
func (r Rules) isZero() bool {
	return !r.API && !r.Metrics && len(r.Join)+len(r.Publish)+len(r.Presence)+len(r.History) == 0
}

const (
	maxPatterns = 256 // of one action
	maxPattern  = 512 // bytes
)

// Validate names every pattern that cannot work.
func (r Rules) Validate() error {
	_, err := r.For("user")
	return err
}

// ParseRules reads rules from JSON. A key that is unknown is an error: it may be
// one that was meant to be another.
func ParseRules(text []byte) (Rules, error) {
	var r Rules
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return Rules{}, fmt.Errorf("grants: %s", strings.TrimPrefix(err.Error(), "json: "))
	}
	return r, nil
}

// Grants are what one user may do. The zero value allows nothing. Safe for
// concurrent use.
type Grants struct {
	rooms   [actions][]pattern
	api     bool
	metrics bool
}

// For makes the grants of a user. A pattern with {sub} fits nothing for the empty
// user.
func (r Rules) For(user string) (Grants, error) {
	g := Grants{api: r.API, metrics: r.Metrics}
	for a := range actions {
		list := r.of(a)
		if len(list) > maxPatterns {
			return Grants{}, fmt.Errorf("grants: %s has %d patterns: at most %d are allowed", a, len(list), maxPatterns)
		}
		for _, text := range list {
			p, err := parsePattern(text, user)
			if err != nil {
				return Grants{}, fmt.Errorf("grants: %s: %w", a, err)
			}
			if p != nil {
				g.rooms[a] = append(g.rooms[a], p)
			}
		}
	}
	return g, nil
}

// May reports whether the action is allowed in the room. Rooms that are Belfry's
// own, which begin with NUL, are for nobody. It does not allocate.
func (g Grants) May(a Action, room belfry.Room) bool {
	if a >= actions || room == "" || room[0] == 0 {
		return false
	}
	return slices.ContainsFunc(g.rooms[a], func(p pattern) bool { return p.fits(string(room)) })
}

// API reports whether these are the grants of a backend.
func (g Grants) API() bool { return g.api }

// Metrics reports whether these are the grants of a program that watches.
func (g Grants) Metrics() bool { return g.metrics || g.api }

// watchOnly reports whether nothing but metrics is allowed.
func (g Grants) watchOnly() bool {
	return g.metrics && !g.api && !slices.ContainsFunc(g.rooms[:], func(all []pattern) bool { return len(all) > 0 })
}
