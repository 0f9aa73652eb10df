package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
)

// value is what a setting sets. Set says what it must be, not what it is.
type value = pflag.Value

// scalar is a value of one word.
type scalar[T any] struct {
	p      *T
	kind   string
	parse  func(string) (T, error)
	format func(T) string
}

func (s *scalar[T]) Set(text string) error {
	v, err := s.parse(text)
	if err == nil {
		*s.p = v
	}
	return err
}

func (s *scalar[T]) String() string {
	if s == nil || s.p == nil {
		return ""
	}
	return s.format(*s.p)
}

func (s *scalar[T]) Type() string { return s.kind }

func text[T ~string](p *T) value {
	return &scalar[T]{p, "string", func(s string) (T, error) { return T(s), nil }, func(v T) string { return string(v) }}
}

func choice(p *string, choices ...string) value {
	most := len(choices) - 1
	rule := errors.New("must be " + strings.Join(choices[:most], ", ") + " or " + choices[most])
	return &scalar[string]{p, "string", func(s string) (string, error) {
		if !slices.Contains(choices, s) {
			return "", rule
		}
		return s, nil
	}, func(v string) string { return v }}
}

// off switches off what a path is for.
const off = "off"

// frontPath is a path, or off: then it is empty.
func frontPath(p *string) value {
	return &scalar[string]{p, "string", func(s string) (string, error) {
		if s == off {
			return "", nil
		}
		return s, nil
	}, func(v string) string {
		if v == "" {
			return off
		}
		return v
	}}
}

func duration(p *time.Duration) value {
	return &scalar[time.Duration]{p, "duration", func(s string) (time.Duration, error) {
		d, err := time.ParseDuration(s)
		if err != nil {
			return 0, errors.New("must be a duration like 500ms, 30s or 2h")
		}
		return d, nil
	}, time.Duration.String}
}

func number(p *int) value {
	return &scalar[int]{p, "int", func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err != nil {
			return 0, errors.New("must be a whole number")
		}
		return n, nil
	}, strconv.Itoa}
}

func boolean(p *bool) value {
	return &scalar[bool]{p, "bool", func(s string) (bool, error) {
		v, err := strconv.ParseBool(s)
		if err != nil {
			return false, errors.New("must be true or false")
		}
		return v, nil
	}, strconv.FormatBool}
}

// units of sizes, the longer name first where one ends with the other.
var units = []struct {
	name  string
	bytes int64
}{
	{"KiB", 1 << 10},
	{"MiB", 1 << 20},
	{"GiB", 1 << 30},
	{"kB", 1e3},
	{"KB", 1e3},
	{"MB", 1e6},
	{"GB", 1e9},
	{"B", 1},
	{"", 1},
} // never changed

func size(p *int) value { return &scalar[int]{p, "size", parseSize, formatSize} }

func parseSize(s string) (int, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt32/u.bytes {
			break
		}
		return int(n * u.bytes), nil
	}
	return 0, errors.New("must be a size below 2 GiB like 64KiB, 1MB or 1000000")
}

func formatSize(n int) string {
	for _, u := range []string{"GiB", "GB", "MiB", "MB", "KiB", "kB"} {
		i := slices.IndexFunc(units, func(v struct {
			name  string
			bytes int64
		},
		) bool {
			return v.name == u
		})
		if b := int(units[i].bytes); n > 0 && n%b == 0 {
			return strconv.Itoa(n/b) + u
		}
	}
	return strconv.Itoa(n)
}

// texts is a list. In the environment and in flags commas part it; a file has a
// sequence.
type texts struct{ p *[]string }

func (t *texts) Set(s string) error {
	*t.p = nil
	t.add(s)
	return nil
}

func (t *texts) add(s string) {
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			*t.p = append(*t.p, part)
		}
	}
}

func (t *texts) String() string {
	if t == nil || t.p == nil {
		return ""
	}
	return strings.Join(*t.p, ",")
}

func (t *texts) Type() string { return "strings" }

// pairs is a mapping, which only a file can give.
type pairs struct{ p *map[string]string }

func (m *pairs) Set(string) error { return errors.New("must be a mapping") }

func (m *pairs) put(key, text string) {
	if *m.p == nil {
		*m.p = make(map[string]string)
	}
	(*m.p)[key] = text
}

func (m *pairs) String() string {
	if m == nil || m.p == nil || len(*m.p) == 0 {
		return ""
	}
	return fmt.Sprint(slices.Sorted(maps.Keys(*m.p)))
}

func (m *pairs) Type() string { return "mapping" }
