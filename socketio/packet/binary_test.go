package packet

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

func TestBinaryWithinJSON(t *testing.T) {
	for name, e := range map[string]struct {
		text, data  string
		attachments []string
	}{
		"none":         {`["a",{"x":"$binary"}]`, `["a",{"x":"$binary"}]`, nil},
		"one":          {`["a",{"$binary":"aGk="}]`, `["a",{"_placeholder":true,"num":0}]`, []string{"hi"}},
		"empty":        {`[{"$binary":""}]`, `[{"_placeholder":true,"num":0}]`, []string{""}},
		"deep":         {`["a",{"b":[{"$binary":"aGk="},1.50]},{"$binary":"AA=="}]`, `["a",{"b":[{"_placeholder":true,"num":0},1.50]},{"_placeholder":true,"num":1}]`, []string{"hi", "\x00"}},
		"more members": {`[{"$binary":"aGk=","x":1}]`, `[{"$binary":"aGk=","x":1}]`, nil},
		"within text":  {`["{\"$binary\":\"aGk=\"}"]`, `["{\"$binary\":\"aGk=\"}"]`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			data, attachments, err := Extract([]byte(e.text))
			if err != nil || string(data) != e.data || len(attachments) != len(e.attachments) {
				t.Fatalf("got %s, %q, %v", data, attachments, err)
			}
			for i, a := range attachments {
				if string(a) != e.attachments[i] {
					t.Errorf("attachment %d is %q", i, a)
				}
			}
			if back := Inline(data, attachments); string(back) != e.text {
				t.Errorf("back it is %s", back)
			}
		})
	}
}

func TestExtractAcceptsSpaceAndEscapes(t *testing.T) {
	data, attachments, err := Extract([]byte("[ { \"\\u0024binary\" :\n\"aG\\u006b=\" } ]"))
	if err != nil || string(data) != `[ {"_placeholder":true,"num":0} ]` || string(attachments[0]) != "hi" {
		t.Errorf("got %s, %q, %v", data, attachments, err)
	}
}

func TestExtractRefuses(t *testing.T) {
	many := bytes.Repeat([]byte(`{"$binary":""},`), 11)
	for text, want := range map[string]error{
		`[{"$binary":"a"}]`: ErrBase64,
		`[{"$binary":5}]`:   ErrBase64,
		`[{"$binary":"aGk="},{"_placeholder":true,"num":0}]`: ErrPlaceholder,
		`[{"_placeholder":true,"x":{"$binary":"aGk="}}]`:     ErrPlaceholder,
		"[" + string(many[:len(many)-1]) + "]":               ErrAttachments,
	} {
		if _, _, err := Extract([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
}

func TestInlineLeavesWhatNamesNothing(t *testing.T) {
	const data = `[{"_placeholder":true,"num":1}]`
	if got := Inline([]byte(data), [][]byte{{1}}); string(got) != data {
		t.Errorf("got %s", got)
	}
}

// FuzzExtract: what comes out of valid JSON is valid JSON, and Inline undoes it.
func FuzzExtract(f *testing.F) {
	for _, s := range []string{`["a",{"$binary":"aGk="}]`, `[{"$binary":5}]`, `[{"_placeholder":true,"num":0}]`, `{"$binary":{"$binary":""}}`, `[ {"\u0024binary" : "AA==" } ]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if checkJSON(text, DefaultMaxDepth, 0) != nil {
			return
		}
		data, attachments, err := Extract(text)
		if err != nil {
			return
		}
		if !json.Valid(data) {
			t.Fatalf("%s became %s", text, data)
		}
		again, more, err := Extract(Inline(data, attachments))
		if err != nil || len(more) != len(attachments) || !bytes.Equal(again, data) {
			t.Fatalf("%s, then %s (%d), then %s (%d), %v", text, data, len(attachments), again, len(more), err)
		}
	})
}
