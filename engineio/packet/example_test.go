package packet_test

import (
	"fmt"

	"github.com/seed-09a96375/belfry/engineio/packet"
)

// The packets before a bad one are good.
func ExamplePayload() {
	for p, err := range packet.Payload([]byte("4hello\x1ebAQID\x1e9\x1e4lost")) {
		if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Printf("%v %q\n", p.Type, p.Data)
	}
	// Output:
	// message "hello"
	// message "\x01\x02\x03"
	// unknown packet type at byte 13
}
