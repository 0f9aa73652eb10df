package packet

import "testing"

func TestDecode(t *testing.T) {
	tests := []struct {
		name   string
		decode func([]byte) (Packet, error)
		in     string
		want   Packet
		err    string
	}{
		{"v4 text", Decode, "4hello", Packet{Message, false, []byte("hello")}, ""},
		{"v4 base64", Decode, "bAQID", Packet{Message, true, []byte{1, 2, 3}}, ""},
		{"v4 empty", Decode, "", Packet{}, "empty packet at byte 0"},
		{"v4 type", Decode, "7", Packet{}, "unknown packet type at byte 0"},
		{"v3 text", DecodeV3, "2probe", Packet{Ping, false, []byte("probe")}, ""},
		{"v3 base64", DecodeV3, "b4AQID", Packet{Message, true, []byte{1, 2, 3}}, ""},
		{"v3 base64 without type", DecodeV3, "b", Packet{}, "empty packet at byte 1"},
		{"v3 base64 with another type", DecodeV3, "bA", Packet{}, "unknown packet type at byte 1"},
		{"v3 frame", DecodeV3Binary, "\x04\x01\x02", Packet{Message, true, []byte{1, 2}}, ""},
		{"v3 empty frame", DecodeV3Binary, "", Packet{}, "empty packet at byte 0"},
		{"v3 frame with another type", DecodeV3Binary, "4", Packet{}, "unknown packet type at byte 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := tt.decode([]byte(tt.in))
			if p.Type != tt.want.Type || p.Binary != tt.want.Binary || string(p.Data) != string(tt.want.Data) {
				t.Errorf("got %+v, want %+v", p, tt.want)
			}
			if err == nil && tt.err != "" || err != nil && err.Error() != tt.err {
				t.Errorf("got %v, want %q", err, tt.err)
			}
		})
	}
}

func TestAppendV3BinaryIsAFrame(t *testing.T) {
	if got := string(AppendV3Binary([]byte("x"), Packet{Message, true, []byte{1, 2}})); got != "x\x04\x01\x02" {
		t.Errorf("%q", got)
	}
}

func TestTypeNames(t *testing.T) {
	if got := Noop.String(); got != "noop" {
		t.Error(got)
	}
	if got := Type(7).String(); got != "unknown" {
		t.Error(got)
	}
}

func TestPayloadDoesNotAllocate(t *testing.T) {
	packets := []Packet{{Type: Message, Data: []byte(`2["chat","é😀"]`)}, {Type: Message, Binary: true, Data: []byte("12345")}, {Type: Ping}}
	body := make([]byte, 0, 100)
	check := func(name string, in []byte, read func([]byte) int) {
		if n := testing.AllocsPerRun(100, func() {
			if n := read(append(body, in...)); n != len(packets) {
				t.Errorf("%s: %d packets", name, n)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	// Written out, because the iterator is free only where the compiler sees it.
	check("v4", AppendPayload(nil, packets...), func(b []byte) (n int) {
		for range Payload(b) {
			n++
		}
		return n
	})
	check("v3", AppendPayloadV3(nil, packets...), func(b []byte) (n int) {
		for range PayloadV3(b) {
			n++
		}
		return n
	})
	check("v3 binary", AppendPayloadV3Binary(nil, packets...), func(b []byte) (n int) {
		for range PayloadV3Binary(b) {
			n++
		}
		return n
	})
}

func TestAppendJSONP(t *testing.T) {
	tests := []struct{ index, payload, want string }{
		{"0", `0{"sid":"KAmRWHEFRz7HC-_RAAAQ"}`, `___eio[0]("0{\"sid\":\"KAmRWHEFRz7HC-_RAAAQ\"}");`},
		{"12", "4\u2028\u2029\n\\é", `___eio[12]("4\u2028\u2029\n\\é");`},
		{"1);alert(2", "6", `___eio[12]("6");`},
		{"", "4</script>", `___eio[]("4\u003c/script\u003e");`},
	}
	for _, tt := range tests {
		if got := string(AppendJSONP([]byte("x"), tt.index, []byte(tt.payload))); got != "x"+tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestDecodeJSONP(t *testing.T) {
	for _, c := range readCorpus[formCase](t, "jsonp.json") {
		t.Run(c.Name, func(t *testing.T) {
			got, err := DecodeJSONP([]byte(c.Text))
			if reason(t, err) != c.Error || string(got) != c.Payload {
				t.Errorf("got %q, %v, want %q, %q", got, err, c.Payload, c.Error)
			}
		})
	}
}

// What Node.js makes of every length and every kind of padding.
func TestDecodeBase64(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"Z", ""},
		{"Zg", "f"},
		{"Zg=", "f"},
		{"Zg==", "f"},
		{"Zm8", "fo"},
		{"Zm9v", "foo"},
		{"Zm9vYg", "foob"},
		{"Zm9v====Zm9v", "foo"},
		{" Z\tm\n9 v ", "foo"},
		{"-_-_", "\xfb\xff\xbf"},
		{"+/+/", "\xfb\xff\xbf"},
		{"=", ""},
		{"!?", ""},
	}
	for _, tt := range tests {
		if got := string(decodeBase64([]byte(tt.in))); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestSkipUTF16(t *testing.T) {
	s := "aé€😀"
	for units, want := range []int{0, 1, 3, 6, -1, 10, -1} {
		if got := skipUTF16([]byte(s), units); got != want {
			t.Errorf("%d units: %d bytes, want %d", units, got, want)
		}
	}
}
