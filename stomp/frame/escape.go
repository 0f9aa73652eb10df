package frame

import "bytes"

// unescape works in place. bad is the index of an undefined escape, -1 if there is
// none.
func unescape(p []byte, v Version) (out []byte, bad int) {
	i := bytes.IndexByte(p, '\\')
	if i < 0 {
		return p, -1
	}
	out = p[:i]
	for ; i < len(p); i++ {
		if p[i] != '\\' {
			out = append(out, p[i])
			continue
		}
		if i+1 == len(p) {
			return nil, i
		}
		c, ok := escaped(p[i+1], v)
		if !ok {
			return nil, i
		}
		out = append(out, c)
		i++
	}
	return out, -1
}

// escaped returns what a backslash and c stand for.
func escaped(c byte, v Version) (byte, bool) {
	switch c {
	case 'n':
		return '\n', true
	case 'c':
		return ':', true
	case '\\':
		return '\\', true
	case 'r':
		return '\r', v == V12
	}
	return 0, false
}

// appendEscaped appends a name or a value. What a version has no escape for, and
// would end the header early, is left out.
func appendEscaped(dst []byte, s string, v Version, name bool) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == 0:
		case c == '\n' && v > V10:
			dst = append(dst, '\\', 'n')
		case c == ':' && v > V10:
			dst = append(dst, '\\', 'c')
		case c == '\\' && v > V10:
			dst = append(dst, '\\', '\\')
		case c == '\r' && v == V12:
			dst = append(dst, '\\', 'r')
		case c == '\n', c == '\r', c == ':' && name:
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
