package packet

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"iter"
	"os"
	"reflect"
	"testing"
)

// corpusPacket is a Packet in readable form.
type corpusPacket struct {
	Type   Type    `json:"type"`
	Text   string  `json:"text"`
	Binary *string `json:"binary"` // hexadecimal; nil: text
}

// payloadCase is a case of testdata/v4.json, v3.json and v3-binary.json: a
// payload, as text or hexadecimal, and the packets in it before the error, if
// there is one. Canonical ones are encoded to the same bytes. JavaScript says
// where the reference differs: engine.io-parser 5.2.3, or the v3 parser in
// engine.io 6.6.12.
type payloadCase struct {
	Name      string         `json:"name"`
	Text      string         `json:"text"`
	Hex       string         `json:"hex"`
	Packets   []corpusPacket `json:"packets"`
	Error     string         `json:"error"`
	Canonical bool           `json:"canonical"`
}

// formCase is a case of testdata/jsonp.json.
type formCase struct {
	Name    string `json:"name"`
	Text    string `json:"text"`
	Payload string `json:"payload"`
	Error   string `json:"error"`
}

func readCorpus[Case any](t testing.TB, name string) (cases []Case) {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no cases", name)
	}
	return cases
}

func (c payloadCase) bytes(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(c.Hex)
	if err != nil {
		t.Fatal(err)
	}
	return append(b, c.Text...)
}

func readable(p Packet) corpusPacket {
	if !p.Binary {
		return corpusPacket{Type: p.Type, Text: string(p.Data)}
	}
	s := hex.EncodeToString(p.Data)
	return corpusPacket{Type: p.Type, Binary: &s}
}

// reason returns what an *Error wraps, in words.
func reason(t testing.TB, err error) string {
	t.Helper()
	var e *Error
	if err == nil {
		return ""
	}
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	return e.Err.Error()
}

// collect reads a payload to its end and checks that nothing follows an error.
func collect(t testing.TB, packets iter.Seq2[Packet, error]) (all []Packet, err error) {
	t.Helper()
	for p, e := range packets {
		switch {
		case err != nil:
			t.Fatalf("%+v follows %v", p, err)
		case e != nil:
			err = e
		default:
			all = append(all, p)
		}
	}
	return all, err
}

// form is a way to write payloads.
type form struct {
	corpus string
	decode func([]byte) iter.Seq2[Packet, error]
	encode func([]byte, ...Packet) []byte
}

var forms = []form{
	{"v4.json", Payload, AppendPayload},
	{"v3.json", PayloadV3, AppendPayloadV3},
	{"v3-binary.json", PayloadV3Binary, AppendPayloadV3Binary},
}

func TestPayloadCorpus(t *testing.T) {
	for _, f := range forms {
		for _, c := range readCorpus[payloadCase](t, f.corpus) {
			t.Run(f.corpus+"/"+c.Name, func(t *testing.T) { testPayload(t, f, c) })
		}
	}
}

func testPayload(t *testing.T, f form, c payloadCase) {
	packets, err := collect(t, f.decode(c.bytes(t)))
	if got := reason(t, err); got != c.Error {
		t.Errorf("error %q, want %q", got, c.Error)
	}
	var got []corpusPacket
	for _, p := range packets {
		got = append(got, readable(p))
	}
	if !reflect.DeepEqual(got, c.Packets) {
		t.Errorf("\n got %+v\nwant %+v", got, c.Packets)
	}
	if again := f.encode(nil, packets...); c.Canonical && string(again) != string(c.bytes(t)) {
		t.Errorf("encoded\n got %q\nwant %q", again, c.bytes(t))
	}
}

func TestPayloadStopsEarly(t *testing.T) {
	for _, f := range forms {
		n := 0
		for range f.decode(f.encode(nil, Packet{Type: Ping}, Packet{Type: Pong}, Packet{Type: Noop})) {
			if n++; n == 2 {
				break
			}
		}
		if n != 2 {
			t.Errorf("%s: %d packets", f.corpus, n)
		}
	}
}

func TestPayloadFaultOffset(t *testing.T) {
	tests := []struct {
		name   string
		decode func([]byte) iter.Seq2[Packet, error]
		in     string
		at     int
	}{
		{"v4 type", Payload, "4a\x1e9", 3},
		{"v4 UTF-8", Payload, "4a\x1e4b\x1e4\xff", 6},
		{"v3 length", PayloadV3, "2:4ax", 4},
		{"v3 type", PayloadV3, "2:4a1:9", 6},
		{"v3 type of binary", PayloadV3, "2:4a2:b9", 7},
		{"v3 binary length", PayloadV3Binary, "\x00\x01\xff4\x01\xff", 5},
		{"v3 binary type", PayloadV3Binary, "\x00\x01\xff4\x01\x01\xff\x09", 7},
	}
	for _, tt := range tests {
		_, err := collect(t, tt.decode([]byte(tt.in)))
		if e, ok := err.(*Error); !ok || e.Offset != tt.at {
			t.Errorf("%s: got %v, want byte %d", tt.name, err, tt.at)
		}
	}
}
