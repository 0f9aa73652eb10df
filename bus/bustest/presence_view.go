package bustest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/seed-09a96375/belfry"
)

// view is what somebody knows of the room who has heard everything.
type view struct {
	members map[belfry.SocketID]belfry.Present
	entries map[string]belfry.Entry
	version uint64
}

// news is one thing that the room was told.
type news struct {
	event   string
	present belfry.Present
	entry   belfry.Entry
	deleted bool
	version uint64
}

func (n news) String() string {
	switch {
	case n.deleted:
		return "end " + n.entry.Key
	case n.event == belfry.EventState:
		return fmt.Sprintf("set %s %s", n.entry.Key, n.entry.Value)
	case n.event == belfry.EventPresenceLeave:
		return "leave " + string(n.present.ID)
	case n.event == belfry.EventPresenceUpdate:
		return fmt.Sprintf("update %s %s %s", n.present.ID, n.present.User, n.present.Meta)
	default:
		return fmt.Sprintf("join %s %s %s", n.present.ID, n.present.User, n.present.Meta)
	}
}

// newsFrom reads a message about the room; false if it is none.
func newsFrom(m *belfry.Message) (n news, ok bool) {
	if m.Namespace != namespace || m.Kind != belfry.Emit || !slices.Equal(m.Target.Rooms, []belfry.Room{room}) {
		return n, false
	}
	var words []json.RawMessage
	var rest struct {
		Deleted bool
		Version uint64
	}
	if json.Unmarshal(m.Data, &words) != nil || len(words) != 2 || json.Unmarshal(words[0], &n.event) != nil ||
		json.Unmarshal(words[1], &rest) != nil {
		return n, false
	}
	n.deleted, n.version = rest.Deleted, rest.Version
	switch n.event {
	case belfry.EventState:
		return n, json.Unmarshal(words[1], &n.entry) == nil
	case belfry.EventPresenceJoin, belfry.EventPresenceUpdate, belfry.EventPresenceLeave:
		return n, json.Unmarshal(words[1], &n.present) == nil
	}
	return n, false
}

// newsOf returns what the room was told, in short.
func newsOf(trace []*belfry.Message) (all []string) {
	for _, m := range trace {
		if n, ok := newsFrom(m); ok {
			all = append(all, n.String())
		}
	}
	return all
}

// view puts together what the node has heard, and checks that it makes sense.
func (r *recorder) view() (*view, error) {
	v := &view{members: map[belfry.SocketID]belfry.Present{}, entries: map[string]belfry.Entry{}}
	for _, m := range r.trace() {
		n, ok := newsFrom(m)
		if !ok {
			continue
		}
		if err := v.hear(n); err != nil {
			return nil, fmt.Errorf("node %s: after %q: %w", r.id, newsOf(r.trace()), err)
		}
	}
	return v, nil
}

func (v *view) hear(n news) error {
	if n.version <= v.version {
		return fmt.Errorf("version %d of %q comes after %d", n.version, n, v.version)
	}
	v.version = n.version
	if n.event == belfry.EventState {
		return v.hearState(n)
	}
	_, there := v.members[n.present.ID]
	if there == (n.event == belfry.EventPresenceJoin) {
		return fmt.Errorf("heard %q of who was there: %v", n, there)
	}
	if n.event == belfry.EventPresenceLeave {
		delete(v.members, n.present.ID)
		if len(v.members) == 0 {
			clear(v.entries) // not told: nobody is there
		}
		return nil
	}
	v.members[n.present.ID] = n.present
	return nil
}

func (v *view) hearState(n news) error {
	if !n.deleted {
		v.entries[n.entry.Key] = n.entry
		return nil
	}
	if _, there := v.entries[n.entry.Key]; !there {
		return fmt.Errorf("heard %q of what was not there", n)
	}
	delete(v.entries, n.entry.Key)
	return nil
}

// matches compares with what a node answers.
func (v *view) matches(ctx context.Context, g *guest) error {
	members, err := g.Members(ctx, hallPlace)
	if err != nil {
		return err
	}
	if n, err := g.Count(ctx, hallPlace); err != nil || n != len(v.members) {
		return fmt.Errorf("counts %d members, %v, want %d", n, err, len(v.members))
	}
	got := map[belfry.SocketID]belfry.Present{}
	for _, p := range members {
		got[p.ID] = p
	}
	if !maps.EqualFunc(got, v.members, samePresent) || len(members) != len(got) {
		return fmt.Errorf("members are %+v, was told of %+v", got, v.members)
	}
	entries, err := g.Entries(ctx, hallPlace)
	if err != nil {
		return err
	}
	state := map[string]belfry.Entry{}
	for _, e := range entries {
		state[e.Key] = e
	}
	if !maps.EqualFunc(state, v.entries, sameEntry) || len(entries) != len(state) {
		return fmt.Errorf("entries are %+v, was told of %+v", state, v.entries)
	}
	return nil
}

// samePresent leaves out the node: nobody is told when that changes.
func samePresent(a, b belfry.Present) bool {
	return a.ID == b.ID && a.User == b.User && a.JoinedAt.Equal(b.JoinedAt) && a.Version == b.Version &&
		sameJSON(a.Meta, b.Meta)
}

func sameEntry(a, b belfry.Entry) bool {
	return a.Key == b.Key && a.Version == b.Version && a.Owner == b.Owner && sameJSON(a.Value, b.Value)
}

// sameJSON makes no difference between none and null.
func sameJSON(a, b json.RawMessage) bool {
	plain := func(m json.RawMessage) []byte {
		if m == nil {
			return []byte("null")
		}
		return m
	}
	return bytes.Equal(plain(a), plain(b))
}
