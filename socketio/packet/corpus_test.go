package packet

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"strconv"
	"testing"
)

// corpusMessage is one message on the wire, without the Engine.IO type.
type corpusMessage struct {
	Text   *string `json:"text"`
	Binary *string `json:"binary"` // hexadecimal
}

// corpusPacket is a Packet in readable form.
type corpusPacket struct {
	Type        Type     `json:"type"`
	Namespace   string   `json:"namespace"`
	ID          string   `json:"id"` // empty: none
	Data        string   `json:"data"`
	Attachments []string `json:"attachments"` // hexadecimal
}

// textCase is a case of testdata/text.json: what a connection receives, and what
// comes of it before the error, if there is one. Again is what encoding the
// packets gives, where that is not what came in. JavaScript says where
// socket.io-parser 4.2.7 differs.
type textCase struct {
	Name  string          `json:"name"`
	In    []corpusMessage `json:"in"`
	Out   []corpusPacket  `json:"out"`
	Error string          `json:"error"`
	Again []string        `json:"again"`
}

// msgpackCase is a case of testdata/msgpack.json. Canonical ones are encoded to
// the same bytes. JavaScript says where socket.io-msgpack-parser 3.0.2 differs.
type msgpackCase struct {
	Name      string       `json:"name"`
	Hex       string       `json:"hex"`
	Out       corpusPacket `json:"out"`
	Error     string       `json:"error"`
	Canonical bool         `json:"canonical"`
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

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readable(p Packet) corpusPacket {
	c := corpusPacket{Type: p.Type, Namespace: p.Namespace, Data: string(p.Data)}
	if p.HasID {
		c.ID = strconv.FormatUint(p.ID, 10)
	}
	for _, a := range p.Attachments {
		c.Attachments = append(c.Attachments, hex.EncodeToString(a))
	}
	return c
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

func TestTextCorpus(t *testing.T) {
	for _, c := range readCorpus[textCase](t, "text.json") {
		t.Run(c.Name, func(t *testing.T) {
			out, err := decodeAll(t, c.In)
			if got := reason(t, err); got != c.Error {
				t.Errorf("error %q, want %q", got, c.Error)
			}
			if len(out) != len(c.Out) {
				t.Fatalf("%d packets, want %d", len(out), len(c.Out))
			}
			again := c.Again
			if again == nil {
				again = headers(c.In)
			}
			for i, p := range out {
				if got := readable(p); !reflect.DeepEqual(got, c.Out[i]) {
					t.Errorf("packet %d\n got %+v\nwant %+v", i, got, c.Out[i])
				}
				if got := string(Append(nil, &p)); got != again[i] {
					t.Errorf("packet %d encoded\n got %s\nwant %s", i, got, again[i])
				}
			}
		})
	}
}

// decodeAll gives messages to a Decoder, each in memory that is overwritten
// after the packet was looked at.
func decodeAll(t *testing.T, in []corpusMessage) (out []Packet, err error) {
	t.Helper()
	var d Decoder
	for _, m := range in {
		var p Packet
		var done bool
		if m.Text != nil {
			p, done, err = d.Text([]byte(*m.Text), Options{})
		} else {
			lent := unhex(t, *m.Binary)
			p, done, err = d.Binary(lent, Options{})
			clear(lent)
		}
		if err != nil {
			return out, err
		}
		if done {
			out = append(out, p)
		}
	}
	return out, nil
}

func headers(in []corpusMessage) (texts []string) {
	for _, m := range in {
		if m.Text != nil {
			texts = append(texts, *m.Text)
		}
	}
	return texts
}

func TestMsgpackCorpus(t *testing.T) {
	for _, c := range readCorpus[msgpackCase](t, "msgpack.json") {
		t.Run(c.Name, func(t *testing.T) {
			in := unhex(t, c.Hex)
			p, err := DecodeMsgpack(in, Options{})
			if got := reason(t, err); got != c.Error {
				t.Fatalf("error %q, want %q", got, c.Error)
			}
			if err != nil {
				return
			}
			if got := readable(p); !reflect.DeepEqual(got, c.Out) {
				t.Errorf("\n got %+v\nwant %+v", got, c.Out)
			}
			again, err := AppendMsgpack(nil, &p)
			if err != nil {
				t.Fatal(err)
			}
			if c.Canonical && string(again) != string(in) {
				t.Errorf("encoded\n got %x\nwant %x", again, in)
			}
			q, err := DecodeMsgpack(again, Options{})
			if err != nil || !reflect.DeepEqual(readable(q), c.Out) {
				t.Errorf("decoded again\n got %+v, %v\nwant %+v", readable(q), err, c.Out)
			}
		})
	}
}
