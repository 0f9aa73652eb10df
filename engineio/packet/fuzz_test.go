package packet

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func FuzzPayload(f *testing.F)         { fuzzPayload(f, forms[0]) }
func FuzzPayloadV3(f *testing.F)       { fuzzPayload(f, forms[1]) }
func FuzzPayloadV3Binary(f *testing.F) { fuzzPayload(f, forms[2]) }

// fuzzPayload checks that packets, encoded, decode to the same packets, and
// that the same bytes come of these.
func fuzzPayload(f *testing.F, form form) {
	for _, c := range readCorpus[payloadCase](f, form.corpus) {
		f.Add(c.bytes(f))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		packets, err := collect(t, form.decode(bytes.Clone(body)))
		if err != nil {
			reason(t, err)
		}
		if len(packets) == 0 {
			return
		}
		for _, p := range packets {
			if p.Type > Noop || !p.Binary && !utf8.Valid(p.Data) {
				t.Fatalf("%+v", p)
			}
		}
		once := form.encode(nil, packets...)
		again, err := collect(t, form.decode(bytes.Clone(once)))
		if err != nil {
			t.Fatalf("%q: %v", once, err)
		}
		if !reflect.DeepEqual(copies(packets), copies(again)) {
			t.Errorf("got %+v\nwant %+v", again, packets)
		}
		if twice := form.encode(nil, again...); !bytes.Equal(once, twice) {
			t.Errorf("got %q, want %q", twice, once)
		}
	})
}

// copies lets an empty slice be equal to nil.
func copies(packets []Packet) (out []corpusPacket) {
	for _, p := range packets {
		out = append(out, readable(p))
	}
	return out
}

func FuzzDecodeV3Binary(f *testing.F) {
	f.Add([]byte{4, 1, 2})
	f.Add([]byte{})
	f.Add([]byte{7})
	f.Fuzz(func(t *testing.T, frame []byte) {
		p, err := DecodeV3Binary(frame)
		if err != nil {
			reason(t, err)
			return
		}
		if got := AppendV3Binary(nil, p); !bytes.Equal(got, frame) {
			t.Errorf("got %q, want %q", got, frame)
		}
	})
}

// The lenient decoder agrees with the standard library where that is strict.
func FuzzDecodeBase64(f *testing.F) {
	for _, s := range []string{"", "Zg==", "Zm8=", "Zm9v", "-_-_", "A", "=", "Z m9v"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := decodeBase64([]byte(text))
		if strings.ContainsAny(text, "\r\n") {
			return
		}
		for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
			if want, err := e.DecodeString(text); err == nil && !bytes.Equal(got, want) {
				t.Errorf("%q: got %q, want %q", text, got, want)
			}
		}
	})
}

func FuzzSkipUTF16(f *testing.F) {
	f.Add("aé€😀", 4)
	f.Fuzz(func(t *testing.T, s string, units int) {
		if units < 0 || !utf8.ValidString(s) {
			return
		}
		n := skipUTF16([]byte(s), units)
		if n < 0 {
			return
		}
		if got := len(utf16.Encode([]rune(s[:n]))); got != units || n > len(s) {
			t.Errorf("%q: %d bytes are %d units, want %d", s, n, got, units)
		}
	})
}

func FuzzDecodeJSONP(f *testing.F) {
	for _, c := range readCorpus[formCase](f, "jsonp.json") {
		f.Add(c.Text)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := DecodeJSONP([]byte(body))
		values, parseErr := url.ParseQuery(body)
		if err != nil || parseErr != nil || len(values["d"]) != 1 {
			return
		}
		// What the standard library reads without complaint is read alike.
		want := strings.NewReplacer(`\\n`, `\n`, `\n`, "\n").Replace(values.Get("d"))
		if string(got) != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	})
}

// The script is a call with one string, which is the payload.
func FuzzAppendJSONP(f *testing.F) {
	f.Add("0", "4\u2028</script>\"\\")
	f.Fuzz(func(t *testing.T, index, payload string) {
		script := string(AppendJSONP(nil, index, []byte(payload)))
		_, call, ok := strings.Cut(script, "](")
		arg, found := strings.CutSuffix(call, ");")
		var got string
		if err := json.Unmarshal([]byte(arg), &got); err != nil || !ok || !found {
			t.Fatalf("%q: %v", script, err)
		}
		if want := strings.ToValidUTF8(payload, ""); utf8.ValidString(payload) && got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if strings.ContainsAny(script, "\u2028\u2029<>\n") {
			t.Errorf("not safe: %q", script)
		}
	})
}
