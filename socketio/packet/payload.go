package packet

// checkPayload applies the rules of each packet type to its payload, which is
// valid JSON and starts at offset base of the message.
func checkPayload(t Type, data []byte, base int) error {
	i := skipSpace(data, 0)
	ok := false
	switch first := data[i]; t.Plain() {
	case Connect:
		ok = first == '{'
	case Event:
		return checkEvent(data, i, base)
	case Ack:
		ok = first == '['
	case ConnectError:
		ok = first == '{' || first == '"'
	}
	if !ok {
		return fail(ErrPayload, base+i)
	}
	return nil
}

// checkEvent wants an array whose first element is a number, or a string that is
// not reserved.
func checkEvent(data []byte, i, base int) error {
	if data[i] != '[' {
		return fail(ErrPayload, base+i)
	}
	i = skipSpace(data, i+1)
	switch c := data[i]; {
	case c == '-' || c-'0' <= 9:
		return nil
	case c != '"':
		return fail(ErrPayload, base+i)
	}
	if name := unquote(data[i:skipString(data, i)]); Reserved(string(name)) {
		return fail(ErrReserved, base+i)
	}
	return nil
}

// Reserved reports whether name is refused as the name of an event by servers
// and clients alike, because it has a meaning of its own there.
func Reserved(name string) bool {
	switch name {
	case "connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener":
		return true
	}
	return false
}
