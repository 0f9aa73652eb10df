package route

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry"
)

func incoming() *Incoming {
	return &Incoming{
		Namespace: "/shop", Event: "order", Socket: "s1", User: "ada", ID: "i7",
		Args: json.RawMessage(` [ {"room":"r 1","n":17,"big":12345678901234567890,"ok":true,"no":null,"a.b":"dot","q\"":"quote","deep":[[1,{"x":"y"}]],"tags":["a","b"],"topic":"/topic/news","é":"\u00e9"} , "two" ] `),
	}
}

func TestTemplates(t *testing.T) {
	for _, test := range []struct{ template, text, json, err string }{
		{"", "", `""`, ""},
		{"plain", "plain", `"plain"`, ""},
		{"{{x}}", "{x}", `"{x}"`, ""},
		{"chat:{args.0.room}", "chat:r 1", `"chat:r 1"`, ""},
		{"{args.0.n}", "17", "17", ""},
		{"{args.0.big}", "12345678901234567890", "12345678901234567890", ""},
		{"{args.0.ok}", "true", "true", ""},
		{`{args.0.a\.b}`, "dot", `"dot"`, ""},
		{`{args.0.q"}`, "quote", `"quote"`, ""},
		{"{args.0.é}", "é", `"\u00e9"`, ""},
		{"{args.0.deep.0.1.x}", "y", `"y"`, ""},
		{"{args.1}", "two", `"two"`, ""},
		{"{args.0.topic#/topic/}", "news", `"news"`, ""},
		{"{args.0.room#/topic/}", "r 1", `"r 1"`, ""},
		{"{args.0.none|else}", "else", `"else"`, ""},
		{"{args.0.none|}", "", `""`, ""},
		{"{args.0.no|else}", "else", `"else"`, ""},
		{`{args.0.none#a|\}\|}`, "}|", `"}|"`, ""},
		{"{user}-{socket}-{event}-{namespace}-{id}", "ada-s1-order-/shop-i7", `"ada-s1-order-/shop-i7"`, ""},
		{"{args.0.none}", "", "", "{args.0.none} is missing"},
		{"{args.2}", "", "", "{args.2} is missing"},
		{"{args.0.room.x}", "", "", "{args.0.room.x} is missing"},
		{"{args.00}", "", "", "{args.00} is missing"},
		{"{args.0.no}", "", "null", "{args.0.no} is missing"},
		{"{args.0.deep}", "", `[[1,{"x":"y"}]]`, "{args.0.deep} must be a text, a number, true or false"},
	} {
		t.Run(test.template, func(t *testing.T) {
			parsed, err := parseTemplate(test.template, routeRoots)
			if err != nil {
				t.Fatal(err)
			}
			text, err := parsed.string(incoming())
			if text != test.text || message(err) != test.err {
				t.Errorf("text is %q, error %q: want %q, %q", text, message(err), test.text, test.err)
			}
			b, err := parsed.appendJSON(nil, incoming())
			if test.json != "" && (string(b) != test.json || err != nil) {
				t.Errorf("JSON is %s, error %v: want %s", b, err, test.json)
			}
			if test.json == "" && message(err) != test.err {
				t.Errorf("error is %q, want %q", message(err), test.err)
			}
		})
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestTemplatesThatStandForSeveral(t *testing.T) {
	parsed, err := parseTemplate("{args.0.tags}", routeRoots)
	if err != nil {
		t.Fatal(err)
	}
	all, err := parsed.appendStrings(nil, incoming())
	if err != nil || strings.Join(all, " ") != "a b" {
		t.Errorf("texts are %q, error %v", all, err)
	}
}

func TestTemplateFaultsNameTheColumn(t *testing.T) {
	for text, want := range map[string]string{
		"é{":                                "column 2: the field has no closing brace",
		"{args.0":                           "column 1: the field has no closing brace",
		"a}":                                "column 2: a closing brace without an opening one",
		"{}":                                "column 2: a name is missing",
		"x{arg.0}":                          `column 2: there is no field "arg": fields begin with args, user`,
		"{user.name}":                       "column 1: user has no fields",
		"{args..0}":                         "column 7: a name is missing",
		"{args.{0}}":                        "column 7: a brace within a field",
		"{args|a{b}":                        "column 8: a brace within a field",
		"{args\\":                           "column 1: the field has no closing brace",
		"\xff":                              "is not UTF-8",
		string(make([]byte, maxTemplate+1)): "at most 4096 are allowed",
	} {
		_, err := parseTemplate(text, routeRoots)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: error is %v, want %q", text, err, want)
		}
	}
	if _, err := parseTemplate("{meta}", sourceRoots); err == nil || !strings.Contains(err.Error(), "say which: meta.NAME") {
		t.Errorf("error is %v", err)
	}
}

// FuzzTemplate: whatever a template and an event are, evaluation ends, and its
// JSON is JSON.
func FuzzTemplate(f *testing.F) {
	for _, seed := range []struct{ template, args string }{
		{"chat:{args.0.room}", `[{"room":"x"}]`},
		{"{args.0.a\\.b#p|d}{{}}", `[{"a.b":"px"}]`},
		{"{args}", `[]`},
		{"{args.1.2.x}", `[1,[{},[],{"x":{"y":"\""}}]]`},
		{"{user|}{id}{event}", "[\"\\u0000\\ud83d\"]"},
		{"{args.0", `[`},
	} {
		f.Add(seed.template, []byte(seed.args))
	}
	f.Fuzz(func(t *testing.T, text string, args []byte) {
		parsed, err := parseTemplate(text, routeRoots)
		if err != nil {
			return
		}
		in := &Incoming{Namespace: "/", Event: "e", Args: args}
		valid := validJSON(args)
		if b, err := parsed.appendJSON(nil, in); err == nil && valid && !json.Valid(b) {
			t.Errorf("%q of %q is %q: not JSON", text, args, b)
		}
		_, _ = parsed.string(in)
		_, _ = parsed.appendStrings(nil, in)
	})
}

// FuzzFind compares the walk over raw JSON with decoding it.
func FuzzFind(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,"x",null]},"a":{"b":[true]}}`), "a", "b", "0")
	f.Add([]byte(` [ { "é" : "\u00e9" } , [ ] ] `), "0", "é", "")
	f.Add([]byte(`{"\u0061":1,"a\"":{"":2}}`), "a", "", "x")
	f.Fuzz(func(t *testing.T, doc []byte, a, b, c string) {
		path := []step{newStep(a), newStep(b), newStep(c)}
		for n := range path {
			got := find(doc, path[:n+1])
			if !validJSON(doc) {
				continue // it has not crashed
			}
			want, there := decodedAt(t, doc, path[:n+1])
			if there != (got != nil) || there && !sameJSON(t, got, want) {
				t.Errorf("%q at %v: got %q, want %v %v", doc, path[:n+1], got, want, there)
			}
		}
	})
}

func decodedAt(t *testing.T, doc []byte, path []step) (v any, there bool) {
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Skip(err) // nests too deep
	}
	for _, s := range path {
		switch at := v.(type) {
		case map[string]any:
			if v, there = at[s.key]; !there {
				return nil, false
			}
		case []any:
			if s.index < 0 || s.index >= len(at) {
				return nil, false
			}
			v = at[s.index]
		default:
			return nil, false
		}
	}
	return v, true
}

func sameJSON(t *testing.T, raw []byte, want any) bool {
	var got any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Skip(err)
	}
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	return string(a) == string(b)
}

func TestPatterns(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"order", "order", true},
		{"order", "orders", false},
		{"order.*", "order.new", true},
		{"order.*", "order", false},
		{"*", "", true},
		{"*.new", "order.new", true},
		{"a*b*c", "a1b2c", true},
		{"a*b*c", "ac", false},
		{"a*a", "a", false},
		{"*a*", "bab", true},
		{"a**b", "ab", true},
		{"*ab", "aab", true},
	} {
		if fits(test.pattern, test.text) != test.want {
			t.Errorf("%q fits %q: want %v", test.pattern, test.text, test.want)
		}
	}
}

func TestIDsAreTheClientsOwn(t *testing.T) {
	seen := make(map[string]string)
	for _, in := range []Incoming{
		{Namespace: "/", User: "a", Event: "e", ID: "1"},
		{Namespace: "/", User: "a:e", Event: "1", ID: ""},
		{Namespace: "/", User: "a", Event: "e:1", ID: "1"},
		{Namespace: "/x", User: "a", Event: "e", ID: "1"},
		{Namespace: "/", User: "a", Event: "/x", ID: "e:1"},
		{Namespace: "/", User: "", Event: "e", ID: "1"},
		{Namespace: "/", User: "b", Event: "e", ID: "1"},
		{Namespace: "/", User: "a", Event: "f", ID: "1"},
		{Namespace: "/", User: "a%3Ae", Event: "1", ID: ""},
		{Namespace: "/", User: "a", Event: "e", ID: strings.Repeat("x", maxID)},
		{Namespace: "/", User: "b", Event: "e", ID: strings.Repeat("x", maxID)},
	} {
		id := eventID(&in, in.ID)
		if other, there := seen[id]; there {
			t.Errorf("%+v and %s share the id %q", in, other, id)
		}
		if len(publishID(id, 123456)) > belfry.MaxID {
			t.Errorf("id %q is too long", id)
		}
		seen[id] = id
	}
	if got := eventID(incoming(), "17"); got != "ada:/shop:order:17" {
		t.Errorf("id is %q", got)
	}
}
