package packet

import (
	"strings"
	"testing"
	"unsafe"
)

func TestDecoderIdleIsSmall(t *testing.T) {
	if n := unsafe.Sizeof(Decoder{}); n > 8 {
		t.Errorf("%d bytes", n)
	}
}

func TestDecoderOwnsBinaryPackets(t *testing.T) {
	var d Decoder
	lent := []byte(`52-/a,7["b",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]`)
	want := string(lent)
	for i, m := range [][]byte{lent, {1, 2}, {}} {
		decode := d.Binary
		if i == 0 {
			decode = d.Text
		}
		p, done, err := decode(m, Options{})
		if err != nil {
			t.Fatal(err)
		}
		clear(m)
		if done != (i == 2) {
			t.Fatalf("message %d: done %v", i, done)
		}
		if !done {
			continue
		}
		if got := string(Append(nil, &p)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if len(p.Attachments) != 2 || string(p.Attachments[0]) != "\x01\x02" || p.Attachments[1] == nil {
			t.Errorf("attachments %q", p.Attachments)
		}
	}
	if d.open != nil {
		t.Error("memory held after the packet")
	}
}

func TestDecoderLimits(t *testing.T) {
	o := Options{MaxAttachments: 2, MaxBytes: 10}
	var d Decoder
	if _, _, err := d.Text([]byte(`53-["b"]`), o); reason(t, err) != ErrAttachments.Error() {
		t.Errorf("3 attachments: %v", err)
	}
	d = Decoder{}
	feed := func(p string) error {
		_, _, err := d.Binary([]byte(p), o)
		return err
	}
	if _, _, err := d.Text([]byte(`52-["b"]`), o); err != nil {
		t.Fatal(err)
	}
	if err := feed(strings.Repeat("x", 6)); err != nil {
		t.Fatal(err)
	}
	if err := feed(strings.Repeat("x", 5)); reason(t, err) != ErrTooLarge.Error() {
		t.Errorf("11 bytes: %v", err)
	}
}

// FuzzDecoder gives a connection's messages to a Decoder: one a line, text
// begins with t, binary with anything else.
func FuzzDecoder(f *testing.F) {
	for _, c := range readCorpus[textCase](f, "text.json") {
		var lines []string
		for _, m := range c.In {
			if m.Text != nil {
				lines = append(lines, "t"+*m.Text)
			} else {
				lines = append(lines, "b"+string(unhex(f, *m.Binary)))
			}
		}
		f.Add(strings.Join(lines, "\n"))
	}
	f.Fuzz(func(t *testing.T, session string) {
		var d Decoder
		for line := range strings.SplitSeq(session, "\n") {
			decode := d.Binary
			if strings.HasPrefix(line, "t") {
				decode = d.Text
			}
			p, done, err := decode([]byte(line[min(1, len(line)):]), Options{})
			if err != nil {
				reason(t, err)
				return
			}
			if done && len(p.Attachments) != p.Count {
				t.Errorf("%d attachments, %d announced", len(p.Attachments), p.Count)
			}
		}
	})
}
