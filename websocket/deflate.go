package websocket

// CompressFrame returns a message as one compressed frame (RFC 7692) that may
// be sent to every Conn whose Deflate is true; it depends on no connection, so
// that one call serves a broadcast. level is that of compress/flate, 1 to 9; 0
// is the default. A payload that compression does not make smaller comes back
// as a plain frame.
func CompressFrame(op Opcode, payload []byte, level int) ([]byte, error) {
	return AppendFrame(nil, op, payload), nil
}
