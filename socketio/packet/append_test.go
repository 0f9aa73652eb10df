package packet

import "testing"

func TestAppend(t *testing.T) {
	one := [][]byte{{1}}
	tests := []struct {
		want string
		p    Packet
	}{
		{"0", Packet{}},
		{"1/admin,", Packet{Type: Disconnect, Namespace: "/admin"}},
		{`20["x"]`, Packet{Type: Event, Namespace: "/", HasID: true, Data: []byte(`["x"]`)}},
		{`51-["x"]`, Packet{Type: Event, Data: []byte(`["x"]`), Attachments: one}},
		{`51-["x"]`, Packet{Type: BinaryEvent, Data: []byte(`["x"]`), Attachments: one}},
		{`2["x"]`, Packet{Type: BinaryEvent, Count: 1, Data: []byte(`["x"]`)}},
		{`61-/a,7[]`, Packet{Type: Ack, Namespace: "/a", ID: 7, HasID: true, Data: []byte(`[]`), Attachments: one}},
		{`0{}`, Packet{Type: Connect, Data: []byte(`{}`), Attachments: one}},
	}
	for _, tt := range tests {
		if got := string(Append(nil, &tt.p)); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

func TestAppendElement(t *testing.T) {
	tests := []struct{ array, want string }{
		{`["ev",1]`, `["ev",1,{"a":1}]`},
		{`[]`, `[{"a":1}]`},
		{` [ ] `, ` [ {"a":1}]`},
		{`["ev" ] `, `["ev" ,{"a":1}]`},
		{`["]"]`, `["]",{"a":1}]`},
		{``, `[{"a":1}]`},
	}
	for _, tt := range tests {
		if got := string(AppendElement([]byte("x"), []byte(tt.array), []byte(`{"a":1}`))); got != "x"+tt.want {
			t.Errorf("%s: got %s, want %s", tt.array, got, tt.want)
		}
	}
}

func TestAppendWholePackets(t *testing.T) {
	tests := []struct {
		got  []byte
		want string
	}{
		{AppendOffset([]byte("2"), []byte(`["ev",1]`), "1-0"), `2["ev",1,"1-0"]`},
		{AppendOffset(nil, nil, `"`), `["\""]`},
		{AppendConnect(nil, "/", "ZbwJoFdsIY4vzROEAAAA", ""), `0{"sid":"ZbwJoFdsIY4vzROEAAAA"}`},
		{AppendConnect(nil, "/a", "s", "p"), `0/a,{"sid":"s","pid":"p"}`},
		{AppendDisconnect(nil, "/admin"), `1/admin,`},
		{AppendDisconnect(nil, "/"), `1`},
		{AppendConnectError(nil, "/unknown", "Invalid namespace", nil), `4/unknown,{"message":"Invalid namespace"}`},
		{AppendConnectError(nil, "/mw", "not authorized", []byte(`{"code":42}`)), `4/mw,{"message":"not authorized","data":{"code":42}}`},
	}
	for _, tt := range tests {
		if string(tt.got) != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
}
