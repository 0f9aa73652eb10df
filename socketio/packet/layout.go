package packet

import "strconv"

// layout is what one walk over valid JSON finds out.
type layout struct {
	p []byte
	// spans are the placeholders, in order. One inside another does not count,
	// as in JavaScript.
	spans []span
	// counts, if wanted, has the number of elements or members of every array
	// and object outside of placeholders, in the order of their opening.
	counts     []uint32
	wantCounts bool
	// plain says that no object is a placeholder.
	plain bool
}

// span is where a placeholder object stands; num is -1 if it names no attachment
// that could exist.
type span struct{ start, end, num int }

// checkPlaceholders returns an *Error unless all placeholders in data, which is
// valid JSON at offset base of its message, are for one of count attachments.
func checkPlaceholders(data []byte, count, base int) error {
	l := layout{p: data, spans: make([]span, 0, count)}
	l.value(0)
	return l.check(count, base)
}

func (l *layout) check(count, base int) error {
	for _, s := range l.spans {
		if s.num < 0 || s.num >= count {
			return fail(ErrPlaceholder, base+s.start)
		}
	}
	return nil
}

// value walks over the value at or after i and returns the index behind it.
func (l *layout) value(i int) int {
	i = skipSpace(l.p, i)
	switch l.p[i] {
	case '[':
		return l.array(i)
	case '{':
		return l.object(i)
	}
	return skipValue(l.p, i)
}

func (l *layout) array(i int) int {
	mark := l.open()
	n := uint32(0)
	if i = skipSpace(l.p, i+1); l.p[i] == ']' {
		return i + 1
	}
	for {
		i = skipSpace(l.p, l.value(i))
		if n++; l.p[i] == ']' {
			l.close(mark, n)
			return i + 1
		}
		i++
	}
}

func (l *layout) object(i int) int {
	mark, spans, start := l.open(), len(l.spans), i
	n, is, num := uint32(0), false, -1
	if i = skipSpace(l.p, i+1); l.p[i] == '}' {
		return i + 1
	}
	for {
		i = l.member(i, &is, &num)
		if n++; l.p[i] == '}' {
			break
		}
		i = skipSpace(l.p, i+1)
	}
	i++
	l.close(mark, n)
	if is {
		if l.wantCounts {
			l.counts = l.counts[:mark]
		}
		l.spans = append(l.spans[:spans], span{start, i, num})
	}
	return i
}

// member walks over a key and its value to the comma or brace behind. As with
// JSON.parse, the last of several equal keys counts.
func (l *layout) member(i int, is *bool, num *int) int {
	key := l.p[i:skipString(l.p, i)]
	colon := skipSpace(l.p, i+len(key))
	start := skipSpace(l.p, colon+1)
	end := l.value(start)
	if !l.plain {
		switch string(unquote(key)) {
		case "_placeholder":
			*is = string(l.p[start:end]) == "true"
		case "num":
			*num = index(l.p[start:end])
		}
	}
	return skipSpace(l.p, end)
}

// open makes room for a count, close fills it in.
func (l *layout) open() (mark int) {
	if l.wantCounts {
		l.counts = append(l.counts, 0)
		return len(l.counts) - 1
	}
	return 0
}

func (l *layout) close(mark int, n uint32) {
	if l.wantCounts {
		l.counts[mark] = n
	}
}

// index returns the attachment that a JSON value names, -1 if none: as in
// JavaScript 1.0 is 1.
func index(value []byte) int {
	if value[0] != '-' && value[0]-'0' > 9 {
		return -1
	}
	f, err := strconv.ParseFloat(string(value), 64)
	if err != nil || f < 0 || f > 1<<30 || f != float64(int(f)) {
		return -1
	}
	return int(f)
}
