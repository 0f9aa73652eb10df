package packet_test

import (
	"encoding/json"
	"fmt"

	"github.com/seed-09a96375/belfry/socketio/packet"
)

// A binary event is complete once its attachments have come.
func ExampleDecoder() {
	var d packet.Decoder
	_, done, err := d.Text([]byte(`51-/files,7["upload",{"name":"a.txt","data":{"_placeholder":true,"num":0}}]`), packet.Options{})
	fmt.Println(done, err)

	p, done, err := d.Binary([]byte("hello"), packet.Options{})
	fmt.Println(done, err)

	name, _ := packet.EventName(p.Data)
	fmt.Printf("%v %s %s %d\n", p.Type, p.Namespace, name, p.ID)

	var file struct {
		Name string
		Data []byte
	}
	args := packet.Split(nil, p.Data)[1:]
	if err := packet.Unmarshal(args[0], p.Attachments, &file); err != nil {
		fmt.Println(err)
	}
	fmt.Printf("%s: %s\n", file.Name, file.Data)
	// Output:
	// false <nil>
	// true <nil>
	// BINARY_EVENT /files upload 7
	// a.txt: hello
}

func ExampleMarshal() {
	type point struct{ X, Y int }
	data, attachments, err := packet.Marshal("move", point{1, 2}, json.RawMessage(`{"raw":true}`), []byte("bytes"))
	fmt.Println(string(data), err)
	fmt.Printf("%q\n", attachments)
	// Output:
	// ["move",{"X":1,"Y":2},{"raw":true},{"_placeholder":true,"num":0}] <nil>
	// ["bytes"]
}

func ExampleAppendOffset() {
	text := packet.AppendHeader(nil, packet.Event, 0, "/chat", 0, false)
	text = packet.AppendOffset(text, []byte(`["news",1]`), "1795359242395-0")
	fmt.Println(string(text))
	// Output: 2/chat,["news",1,"1795359242395-0"]
}
