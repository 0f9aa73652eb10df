package redis

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry"
)

func FuzzDecodePresent(f *testing.F) {
	for _, record := range []string{
		"1\n2\n\"2026-01-02T03:04:05.678Z\"\n\"node\"\n\"id\":\"a\",\"user\":\"u\"\nnull\nnode.run",
		"z\n9007199254740993\n\"2026-01-02T03:04:05Z\"\n\"n\"\n\"id\":\"\",\"user\":\"\",\"more\":[1]\n{\"x\":1}\nn\n.r",
		"", "1\n2\n3", "\n\n\n\n\n\n", "1\n-2\n\"x\"\n\"n\"\n\"id\":1\n\n", "1\n2\n\"\"\n\"n\"\n}{\nnull\na.b",
	} {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, record string) {
		p, err := decodePresent(record)
		if err != nil {
			if !reflect.DeepEqual(p, belfry.Present{}) {
				t.Errorf("an error and %+v", p)
			}
			return
		}
		a := &attendee{joined: p.JoinedAt, stay: belfry.Stay{Socket: p.ID}, entrance: belfry.Entrance{User: p.User, Meta: p.Meta}}
		facts, err := factsOf(a, p.Node)
		if err != nil {
			return // a time that has no JSON form
		}
		version := strings.Split(record, "\n")[1]
		again, err := decodePresent(strings.Join([]string{"hold", version, facts.joined, facts.node, facts.who, facts.meta, "holder"}, "\n"))
		if err != nil || again.ID != p.ID || again.User != p.User || again.Node != p.Node || !again.JoinedAt.Equal(p.JoinedAt) {
			t.Errorf("decoded %+v, encoded and decoded again %+v, %v", p, again, err)
		}
	})
}

func FuzzDecodeEntry(f *testing.F) {
	for _, record := range []string{
		"7\nNONCE\n\"key\"\n{\"a\":1}\nowner", "1\n\n\"\"\nnull\n", "", "x\n\n\"k\"\n1\n", "1\n\nk\n1\n", "1\n\n\"k\"\n{\n\n", "1\n\n\"k\"\n1\na\nb",
	} {
		f.Add(record)
	}
	f.Fuzz(func(t *testing.T, record string) {
		e, err := decodeEntry(record)
		if err != nil {
			if !reflect.DeepEqual(e, belfry.Entry{}) {
				t.Errorf("an error and %+v", e)
			}
			return
		}
		facts, err := entryFactsOf(e)
		if err != nil {
			t.Fatalf("decoded %+v, which cannot be encoded: %v", e, err)
		}
		version, _, _ := strings.Cut(record, "\n")
		again, err := decodeEntry(strings.Join([]string{version, "nonce", facts.key, facts.value, string(e.Owner)}, "\n"))
		if err != nil || again.Key != e.Key || again.Version != e.Version || again.Owner != e.Owner {
			t.Errorf("decoded %+v, encoded and decoded again %+v, %v", e, again, err)
		}
	})
}

func FuzzParseReference(f *testing.F) {
	for _, ref := range []string{"2 /#roomid", "6 /%23%25#id", "", "x", "-1 a", "99 short", "0 #", "3 /a#id", "99999999999999999999 x"} {
		f.Add(ref)
	}
	f.Fuzz(func(t *testing.T, ref string) {
		at, id, ok := parseReference(ref)
		if !ok {
			return
		}
		again, id2, ok := parseReference(reference(placeKey(at), id))
		if !ok || again != at || id2 != id {
			t.Errorf("%q: %q %q, and again %q %q", ref, at, id, again, id2)
		}
	})
}

// The scripts and this package agree about names of places.
func TestPlaceKeys(t *testing.T) {
	seen := map[string]belfry.Place{}
	for _, p := range []belfry.Place{
		{Namespace: "/", Room: "a"},
		{Namespace: "/#", Room: "a"},
		{Namespace: "/", Room: "#a"},
		{Namespace: "/%23", Room: "a"},
		{Namespace: "/%", Room: "23#a"},
		{Namespace: "/a#b", Room: "c"},
		{Namespace: "/a", Room: "b#c"},
	} {
		key := placeKey(p)
		if other, again := seen[key]; again {
			t.Errorf("%q and %q are both %q", p, other, key)
		}
		seen[key] = p
		if at, id, ok := parseReference(reference(key, "id")); !ok || at != p || id != "id" {
			t.Errorf("%q comes back as %q, %q, %v", p, at, id, ok)
		}
	}
}

func TestFactsAreLines(t *testing.T) {
	a := &attendee{
		stay: belfry.Stay{Socket: "i\nd"}, joined: time.Now(),
		entrance: belfry.Entrance{User: "u\ns\"er", Meta: []byte("{\n \"a\" : \"<\" }")},
	}
	f, err := factsOf(a, "no\nde")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{f.joined, f.node, f.who, f.meta} {
		if strings.Contains(line, "\n") {
			t.Errorf("%q is not one line", line)
		}
	}
	if f.meta != `{"a":"<"}` {
		t.Errorf("metadata are %s", f.meta)
	}
	if _, err := factsOf(&attendee{entrance: belfry.Entrance{Meta: []byte("{")}}, ""); err == nil {
		t.Error("metadata that are no JSON are taken")
	}
}
