package engineio

import "testing"

func TestSessionIDs(t *testing.T) {
	tag := Tag{0x00, 0x10, 0x83}
	seen := make(map[string]bool)
	for range 1000 {
		id := tag.newID()
		text := id.String()
		back, ok := parseID(text)
		if len(text) != idLength || text[:4] != "ABCD" || !ok || back != id || seen[text] {
			t.Fatalf("id %s", text)
		}
		seen[text] = true
	}
}

var notIDs = []string{
	"", "AAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAA=",
	"AAAAAAAAAAAAAAA\nAAAA", "AAAAAAAAAAAAAAAAAAA+", "ABCDAAAAAAAAAAAAAAA\r", "äAAAAAAAAAAAAAAAAAA",
}

func TestNotSessionIDs(t *testing.T) {
	for _, bad := range notIDs {
		if _, ok := TagOf(bad); ok {
			t.Errorf("%q is taken for an id", bad)
		}
	}
}

// TestTags: servers that are not given a tag have one of their own each, and keep
// it.
func TestTags(t *testing.T) {
	tagOf := func(ts *testServer) Tag {
		tag, ok := TagOf(ts.poll(4).sid)
		if !ok {
			t.Fatal("an id without a tag")
		}
		return tag
	}
	given := Tag{1, 2, 3}
	a, b, c := serve(t, Options{Tag: given}, nil), serve(t, Options{}, nil), serve(t, Options{}, nil)
	if got := tagOf(a); got != given {
		t.Errorf("tag %x, want %x", got, given)
	}
	first := tagOf(b)
	if again, others := tagOf(b), tagOf(c); first != again || first == others || first == (Tag{}) {
		t.Errorf("random tags %x and %x, of another server %x", first, again, others)
	}
}

// FuzzTagOf: what is taken for an id is the text form of it.
func FuzzTagOf(f *testing.F) {
	f.Add(Tag{0xFF, 0, 0x7F}.newID().String())
	f.Add("ABCD_-_-_-_-_-_-_-_-")
	for _, bad := range notIDs {
		f.Add(bad)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tag, ok := TagOf(text)
		if !ok {
			return
		}
		id, _ := parseID(text)
		if id.String() != text || Tag(id[:tagLength]) != tag {
			t.Errorf("%q is %q with the tag %x", text, id, tag)
		}
	})
}
