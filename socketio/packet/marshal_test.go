package packet

import (
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"
)

type (
	letter  byte
	letters []letter
	blob    []byte

	photo struct {
		Name  string            `json:"name"`
		Data  []byte            `json:"data"`
		Thumb Binary            `json:"thumb,omitempty"`
		More  map[string][]byte `json:"more,omitempty"`
		Next  *photo            `json:"next,omitempty"`
		skip  []byte
	}
	base   struct{ Raw []byte }
	Base   struct{ Raw []byte }
	holder struct {
		base
		Hidden []byte `json:"-"`
		Named  blob   `json:"-,"` //nolint:staticcheck // the name "-", which nearly means "ignore"
	}
	pointing struct{ *Base }
	lurking  struct{ *base }
	chart    map[string][]byte
	opaque   struct { // embeds what encoding/json does not look at
		blob
		chart
		More any
	}
	stamped struct {
		At  time.Time
		Raw json.RawMessage
		IP  net.IP
		Big *big.Int
	}
	selfMade struct{ Secret []byte }
	numbers  struct {
		List []int
		Hash [4]byte
	}
)

func (selfMade) MarshalJSON() ([]byte, error) { return []byte(`"self-made"`), nil }

func TestMarshal(t *testing.T) {
	x, y := []byte("x"), []byte("y")
	const p0, p1, p2 = `{"_placeholder":true,"num":0}`, `{"_placeholder":true,"num":1}`, `{"_placeholder":true,"num":2}`
	var none *photo
	tests := []struct {
		name        string
		args        []any
		want        string
		attachments []string
	}{
		{"nothing", nil, `[]`, nil},
		{"scalars", []any{nil, "a\"<&>", true, -1, int32(2), int64(3), uint32(4), uint64(math.MaxUint64), 1.5, 1e21}, `[null,"a\"<&>",true,-1,2,3,4,18446744073709551615,1.5,1e+21]`, nil},
		{"by encoding/json", []any{int8(1), float32(0.1), []int{1}, map[string]int{"b": 1, "a": 2}, struct{ A string }{"<>"}}, `[1,0.1,[1],{"a":2,"b":1},{"A":"<>"}]`, nil},
		{"raw", []any{json.RawMessage(` {"b": 1} `), json.RawMessage(nil)}, `[ {"b": 1} ,null]`, nil},
		{"bytes", []any{x, Binary(y), blob("z")}, `[` + p0 + `,` + p1 + `,` + p2 + `]`, []string{"x", "y", "z"}},
		{"slice of named bytes", []any{letters("xy")}, `[` + p0 + `]`, []string{"xy"}},
		{"nil bytes", []any{[]byte(nil), Binary(nil), struct{ A []byte }{}}, `[null,null,{"A":null}]`, nil},
		{"empty bytes", []any{[]byte{}, struct{ A []byte }{[]byte{}}}, `[` + p0 + `,{"A":` + p1 + `}]`, []string{"", ""}},
		{"struct", []any{photo{Name: "n", Data: x, Thumb: Binary{}, skip: y}}, `[{"name":"n","data":` + p0 + `}]`, []string{"x"}},
		{"depth first, in the order of the text", []any{photo{Data: x, More: map[string][]byte{"b": []byte("2"), "a": []byte("1")}, Next: &photo{Data: y}}}, `[{"name":"","data":` + p0 + `,"more":{"a":` + p1 + `,"b":` + p2 + `},"next":{"name":"","data":{"_placeholder":true,"num":3}}}]`, []string{"x", "1", "2", "y"}},
		{"interfaces", []any{map[string]any{"k": []any{x, "s", nil, map[string]any{"y": y}}}}, `[{"k":[` + p0 + `,"s",null,{"y":` + p1 + `}]}]`, []string{"x", "y"}},
		{"interfaces without bytes", []any{[]any{1, "s"}}, `[[1,"s"]]`, nil},
		{"pointers", []any{&x, none, &photo{Data: y}}, `[` + p0 + `,null,{"name":"","data":` + p1 + `}]`, []string{"x", "y"}},
		{"array of slices", []any{[2][]byte{x, y}}, `[[` + p0 + `,` + p1 + `]]`, []string{"x", "y"}},
		{"array of bytes is an array of numbers", []any{numbers{List: []int{1}, Hash: [4]byte{1, 2}}}, `[{"List":[1],"Hash":[1,2,0,0]}]`, nil},
		{"embedded", []any{holder{base{x}, y, blob("z")}, pointing{&Base{x}}, pointing{}}, `[{"Raw":` + p0 + `,"-":` + p1 + `},{"Raw":` + p2 + `},{}]`, []string{"x", "z", "x"}},
		{"embedded, but no struct", []any{opaque{x, chart{"k": y}, x}}, `[{"More":` + p0 + `}]`, []string{"x"}},
		{"types that encode themselves", []any{selfMade{x}, &selfMade{x}, []any{selfMade{x}}}, `["self-made","self-made",["self-made"]]`, nil},
		{"types that encode themselves inside", []any{stamped{time.Unix(0, 0).UTC(), json.RawMessage(`{"a":[1]}`), net.IPv4(127, 0, 0, 1), big.NewInt(5)}}, `[{"At":"1970-01-01T00:00:00Z","Raw":{"a":[1]},"IP":"127.0.0.1","Big":5}]`, nil},
		{"base64 of the sender stays a string", []any{map[string]any{"a": "eA==", "b": x}}, `[{"a":"eA==","b":` + p0 + `}]`, []string{"x"}},
		{"raw placeholder in a plain packet", []any{json.RawMessage(`{"_placeholder":true,"num":7}`)}, `[{"_placeholder":true,"num":7}]`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, attachments, err := Marshal(tt.args...)
			if err != nil {
				t.Fatal(err)
			}
			if string(data) != tt.want {
				t.Errorf("\n got %s\nwant %s", data, tt.want)
			}
			var got []string
			for _, a := range attachments {
				got = append(got, string(a))
			}
			if !reflect.DeepEqual(got, tt.attachments) {
				t.Errorf("attachments %q, want %q", got, tt.attachments)
			}
		})
	}
}

func TestMarshalLeavesArgumentsAlone(t *testing.T) {
	arg := map[string]any{"a": []any{[]byte("x")}, "p": &photo{Data: []byte("y"), More: map[string][]byte{"m": []byte("z")}}}
	want := map[string]any{"a": []any{[]byte("x")}, "p": &photo{Data: []byte("y"), More: map[string][]byte{"m": []byte("z")}}}
	if _, attachments, err := Marshal(arg); err != nil || len(attachments) != 3 {
		t.Fatalf("%d attachments, %v", len(attachments), err)
	}
	if !reflect.DeepEqual(arg, want) {
		t.Errorf("got %v", arg)
	}
}

func TestMarshalErrors(t *testing.T) {
	cycle := map[string]any{"bytes": []byte("x")}
	cycle["self"] = cycle
	ring := &photo{Data: []byte("x")}
	ring.Next = ring
	tests := []struct {
		name string
		args []any
		want string
	}{
		{"invalid raw JSON", []any{1, json.RawMessage(`{"a"}`)}, "argument 2: invalid JSON at byte 4"},
		{"empty raw JSON", []any{json.RawMessage{}}, "argument 1: invalid JSON at byte 0"},
		{"not a number", []any{math.NaN()}, "argument 1: NaN is not a JSON number"},
		{"channel", []any{make(chan int)}, "argument 1: json: unsupported type"},
		{"channel in an interface", []any{[]any{[]byte("x"), make(chan int)}}, "argument 1: json: unsupported type"},
		{"cycle through a map", []any{cycle}, "argument 1: arrays and objects nest too deep"},
		{"cycle through a pointer", []any{ring}, "argument 1: arrays and objects nest too deep"},
		{"pointer that cannot be copied", []any{lurking{&base{[]byte("x")}}}, "embeds a pointer to a struct that is not exported"},
		{"raw placeholder beside an attachment", []any{[]byte("x"), json.RawMessage(`{"_placeholder":true,"num":1}`)}, "placeholder for no attachment"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			data, attachments, err := Marshal(tt.args...)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
			if data != nil || attachments != nil {
				t.Errorf("data %s, attachments %q", data, attachments)
			}
		})
	}
}

func TestAppendEvent(t *testing.T) {
	data, attachments, err := AppendEvent([]byte("52-"), [][]byte{{0}}, "bin", []byte("x"))
	if err != nil || string(data) != `52-["bin",{"_placeholder":true,"num":1}]` || len(attachments) != 2 {
		t.Errorf("got %s, %q, %v", data, attachments, err)
	}
	data, attachments, err = AppendEvent([]byte("2"), nil, "disconnect")
	if !errors.Is(err, ErrReserved) || string(data) != "2" || attachments != nil {
		t.Errorf("got %s, %q, %v", data, attachments, err)
	}
}

func TestUnmarshal(t *testing.T) {
	type target struct {
		photo
		Any  any
		Raw  json.RawMessage
		List []any
		Ptr  *Binary
		Arr  [2]blob
		Maps map[string]map[string][]byte
	}
	raw := json.RawMessage(`{
		"name":"n", "data":{"_placeholder":true,"num":0}, "thumb":{"num":1,"_placeholder":true,"more":[{"_placeholder":true,"num":9}]},
		"next":{"data":"eA==","more":{"k":{"_placeholder":true,"num":1}}},
		"Any":{"a":[{"_placeholder":true,"num":0},"s",1]}, "Raw":[{"_placeholder":true,"num":1},2], "List":[{"_placeholder":true,"num":1}],
		"Ptr":{"_placeholder":true,"num":0}, "Arr":[null,{"_placeholder":true,"num":0}], "Maps":{"m":{"n":{"_placeholder":true,"num":0}}}, "unknown":{"_placeholder":true,"num":1}}`)
	var got target
	if err := Unmarshal(raw, [][]byte{[]byte("x"), []byte("y")}, &got); err != nil {
		t.Fatal(err)
	}
	x := Binary("x")
	want := target{
		photo: photo{Name: "n", Data: []byte("x"), Thumb: Binary("y"), Next: &photo{Data: []byte("x"), More: map[string][]byte{"k": []byte("y")}}},
		Any:   map[string]any{"a": []any{[]byte("x"), "s", 1.0}},
		Raw:   json.RawMessage(`[{"_placeholder":true,"num":1},2]`),
		List:  []any{[]byte("y")},
		Ptr:   &x,
		Arr:   [2]blob{nil, blob("x")},
		Maps:  map[string]map[string][]byte{"m": {"n": []byte("x")}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

func TestUnmarshalWholeArgument(t *testing.T) {
	attachments := [][]byte{[]byte("x"), []byte("y")}
	raw := json.RawMessage(`{"_placeholder":true,"num":1}`)
	var (
		plain []byte
		bin   Binary
		named blob
		dyn   any
		keep  json.RawMessage
		text  string
		obj   struct{ Num int }
	)
	for _, v := range []any{&plain, &bin, &named, &dyn, &keep} {
		if err := Unmarshal(raw, attachments, v); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
	if string(plain) != "y" || string(bin) != "y" || string(named) != "y" || string(dyn.([]byte)) != "y" {
		t.Errorf("got %q, %q, %q, %q", plain, bin, named, dyn)
	}
	if string(keep) != string(raw) {
		t.Errorf("raw: %s", keep)
	}
	if &plain[0] != &attachments[1][0] {
		t.Error("the attachment was copied")
	}
	if err := Unmarshal(raw, attachments, &text); err == nil {
		t.Errorf("text took an attachment: %q", text)
	}
	if err := Unmarshal(raw, attachments, &struct{ A any }{}); err == nil {
		t.Error("a struct took an attachment")
	}
	// No place for bytes: the object is what it is.
	if err := Unmarshal(raw, attachments, &obj); err != nil || obj.Num != 1 {
		t.Errorf("got %v, %v", obj, err)
	}
}

func TestUnmarshalErrors(t *testing.T) {
	one := [][]byte{[]byte("x")}
	var dst struct {
		B []byte
		S string
	}
	tests := []struct{ name, raw, want string }{
		{"invalid JSON", `{"B":`, "invalid JSON"},
		{"no such attachment", `{"B":{"_placeholder":true,"num":1}}`, "placeholder for no attachment at byte 5"},
		{"attachment into text", `{"S":{"_placeholder":true,"num":0}}`, "cannot unmarshal an attachment into a string"},
		{"number into bytes", `{"B":1,"S":{"_placeholder":true,"num":0}}`, "cannot unmarshal number"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := Unmarshal(json.RawMessage(tt.raw), one, &dst); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	if err := Unmarshal(json.RawMessage(`1`), one, nil); err == nil {
		t.Error("decoded into nil")
	}
	if err := Unmarshal(json.RawMessage(`1`), one, dst); err == nil {
		t.Error("decoded into a value")
	}
}

func TestUnmarshalIntoEmbedded(t *testing.T) {
	v := opaque{blob("a"), chart{"k": []byte("b")}, nil}
	if err := Unmarshal(json.RawMessage(`{"More":{"_placeholder":true,"num":0}}`), [][]byte{[]byte("x")}, &v); err != nil {
		t.Fatal(err)
	}
	if want := (opaque{blob("a"), chart{"k": []byte("b")}, []byte("x")}); !reflect.DeepEqual(v, want) {
		t.Errorf("got %v, want %v", v, want)
	}
	var h holder
	if err := Unmarshal(json.RawMessage(`{"Raw":{"_placeholder":true,"num":0}}`), [][]byte{[]byte("x")}, &h); err != nil || string(h.Raw) != "x" {
		t.Errorf("got %q, %v", h.Raw, err)
	}
}

// What v held before may have cycles.
func TestUnmarshalIntoCycle(t *testing.T) {
	ring := &photo{}
	ring.Next = ring
	loop := map[string]any{}
	loop["self"] = loop
	raw := json.RawMessage(`{"data":{"_placeholder":true,"num":0}}`)
	for _, v := range []any{ring, &loop} {
		if err := Unmarshal(raw, [][]byte{[]byte("x")}, v); err != nil {
			t.Errorf("%T: %v", v, err)
		}
	}
	if string(ring.Data) != "x" || string(loop["data"].([]byte)) != "x" {
		t.Errorf("got %q, %q", ring.Data, loop["data"])
	}
}

// FuzzMarshal sends any JSON with any bytes in it through Go values.
func FuzzMarshal(f *testing.F) {
	f.Add(`{"a":[1,"x",null,{"b":"$"}]}`, []byte("x"))
	f.Add(`["$",{"":"$"}]`, []byte{})
	f.Fuzz(func(t *testing.T, text string, b []byte) {
		var v any
		if json.Unmarshal([]byte(text), &v) != nil || strings.Contains(text, "_placeholder") || strings.Contains(text, `\`) {
			return
		}
		v = plant(v, b)
		data, attachments, err := Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if !json.Valid(data) {
			t.Fatalf("invalid JSON: %s", data)
		}
		if err := checkPlaceholders(data, len(attachments), 0); err != nil {
			t.Error(err)
		}
		var back any
		if err := Unmarshal(Split(nil, data)[0], attachments, &back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(back, v) {
			t.Errorf("got %#v\nwant %#v", back, v)
		}
	})
}

// plant puts b wherever v has the string "$".
func plant(v any, b []byte) any {
	switch v := v.(type) {
	case string:
		if v == "$" {
			return b
		}
	case []any:
		for i := range v {
			v[i] = plant(v[i], b)
		}
	case map[string]any:
		for k := range v {
			v[k] = plant(v[k], b)
		}
	}
	return v
}
