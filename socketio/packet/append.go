package packet

import "strconv"

// AppendHeader appends everything of a packet but its JSON. attachments is
// written for binary types only.
func AppendHeader(dst []byte, t Type, attachments int, namespace string, id uint64, hasID bool) []byte {
	dst = append(dst, '0'+byte(t))
	if t.Binary() {
		dst = append(strconv.AppendInt(dst, int64(attachments), 10), '-')
	}
	if namespace != "/" && namespace != "" {
		dst = append(append(dst, namespace...), ',')
	}
	if hasID {
		dst = strconv.AppendUint(dst, id, 10)
	}
	return dst
}

// Append appends the text of p. An Event or Ack with Attachments is written as
// its binary twin, and the other way round. The attachments themselves follow as
// binary messages, which the caller sends.
func Append(dst []byte, p *Packet) []byte {
	t := p.Type.Plain()
	if len(p.Attachments) > 0 && (t == Event || t == Ack) {
		t += BinaryEvent - Event
	}
	dst = AppendHeader(dst, t, len(p.Attachments), p.Namespace, p.ID, p.HasID)
	return append(dst, p.Data...)
}

// AppendElement appends the JSON array with one more element at its end. Both
// are valid JSON.
func AppendElement(dst, array, element []byte) []byte {
	dst, empty := appendOpen(dst, array)
	if !empty {
		dst = append(dst, ',')
	}
	return append(append(dst, element...), ']')
}

// AppendOffset appends the JSON array with a string added at its end, as a
// client that may come back expects it: ["ev",1] becomes ["ev",1,"off"]. nil
// counts as an empty array.
func AppendOffset(dst, array []byte, offset string) []byte {
	dst, empty := appendOpen(dst, array)
	if !empty {
		dst = append(dst, ',')
	}
	return append(AppendString(dst, offset), ']')
}

// appendOpen appends the array without its closing bracket.
func appendOpen(dst, array []byte) (_ []byte, empty bool) {
	n := len(array)
	for n > 0 && array[n-1] != ']' {
		n--
	}
	if n == 0 {
		return append(dst, '['), true
	}
	array = array[:n-1]
	first := skipSpace(array, 0) + 1
	return append(dst, array...), skipSpace(array, first) == len(array)
}

// AppendConnect appends the whole packet that accepts a CONNECT. pid, the
// private session id, is left out if empty.
func AppendConnect(dst []byte, namespace, sid, pid string) []byte {
	dst = AppendHeader(dst, Connect, 0, namespace, 0, false)
	dst = AppendString(append(dst, `{"sid":`...), sid)
	if pid != "" {
		dst = AppendString(append(dst, `,"pid":`...), pid)
	}
	return append(dst, '}')
}

// AppendDisconnect appends the whole packet that ends a namespace's connection.
func AppendDisconnect(dst []byte, namespace string) []byte {
	return AppendHeader(dst, Disconnect, 0, namespace, 0, false)
}

// AppendConnectError appends the whole packet that refuses a CONNECT. data is
// valid JSON, left out if empty.
func AppendConnectError(dst []byte, namespace, message string, data []byte) []byte {
	dst = AppendHeader(dst, ConnectError, 0, namespace, 0, false)
	dst = AppendString(append(dst, `{"message":`...), message)
	if len(data) > 0 {
		dst = append(append(dst, `,"data":`...), data...)
	}
	return append(dst, '}')
}
