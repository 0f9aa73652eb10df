package packet

// decodeBase64 decodes p in place and returns the front of it, as Node.js reads
// base64: both alphabets, with or without padding, the first = ends it, other
// characters are skipped.
func decodeBase64(p []byte) []byte {
	out, bits, n := p[:0], uint32(0), 0
	for _, c := range p {
		if c == '=' {
			break
		}
		v := base64Value(c)
		if v > 63 {
			continue
		}
		// Four characters make three bytes: writing never overtakes reading.
		bits = bits<<6 | uint32(v)
		if n++; n == 4 {
			out = append(out, byte(bits>>16), byte(bits>>8), byte(bits))
			n = 0
		}
	}
	switch n {
	case 2:
		out = append(out, byte(bits>>4))
	case 3:
		out = append(out, byte(bits>>10), byte(bits>>2))
	}
	return out
}

// base64Value returns what a character of either alphabet stands for, or 255.
func base64Value(c byte) byte {
	switch {
	case c-'A' < 26:
		return c - 'A'
	case c-'a' < 26:
		return c - 'a' + 26
	case c-'0' < 10:
		return c - '0' + 52
	case c == '+' || c == '-':
		return 62
	case c == '/' || c == '_':
		return 63
	}
	return 255
}
