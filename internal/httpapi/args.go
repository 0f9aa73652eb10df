package httpapi

import (
	"bytes"
	"encoding/json"

	"github.com/seed-09a96375/belfry/socketio/packet"
)

// appendArgs appends the elements of args, each behind a comma: the JSON that came,
// without space between. Only bytes, {"$binary":"BASE64"}, become attachments.
func appendArgs(dst, args []byte) (_ []byte, attachments [][]byte, err error) {
	if bytes.Contains(args, []byte(`$binary`)) {
		if args, attachments, err = packet.Extract(args); err != nil {
			return dst, nil, err
		}
	}
	if bytes.ContainsAny(args, " \t\r\n") {
		var tight bytes.Buffer
		if err := json.Compact(&tight, args); err != nil { // valid JSON has no cause for it
			return dst, nil, err
		}
		args = tight.Bytes()
	}
	if inner := args[1 : len(args)-1]; len(inner) > 0 {
		dst = append(append(dst, ','), inner...)
	}
	return dst, attachments, nil
}
