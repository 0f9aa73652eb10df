package config

import (
	"testing"
)

// TestTree holds for every setting what the rest relies on.
func TestTree(t *testing.T) {
	variables, flags := make(map[string]string), make(map[string]string)
	n := 0
	walk(New().root, "", func(path string, s *setting) {
		n++
		if s.standard != "" {
			if err := s.value.Set(s.standard); err != nil {
				t.Errorf("%s: its default %q %v", path, s.standard, err)
			}
		}
		if s.usage == "" || s.standard == "" && s.example == "" && s.value.Type() != "bool" {
			t.Errorf("%s has no usage, or neither a default nor an example", path)
		}
		name := s.variable(path)
		if other := variables[name]; other != "" && name != "" {
			t.Errorf("%s is %s and %s", name, path, other)
		}
		if other := flags[s.flag]; other != "" && s.flag != "" {
			t.Errorf("--%s is %s and %s", s.flag, path, other)
		}
		variables[name], flags[s.flag] = path, path
	})
	if n < 30 {
		t.Errorf("the tree has %d settings only", n)
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int{
		"0": 0, "1": 1, "12B": 12, "64KiB": 65536, "64 KiB": 65536, "1MB": 1e6, "1kB": 1000, "1MiB": 1 << 20, "1GiB": 1 << 30,
		"": -1, "-1": -1, "B": -1, "1.5MB": -1, "2GiB": -1, "9223372036854775807GB": -1, "1TB": -1,
	} {
		got, err := parseSize(text)
		if err != nil {
			got = -1
		}
		if got != want {
			t.Errorf("%q: %d %v, want %d", text, got, err, want)
		}
		if err == nil {
			if again, err := parseSize(formatSize(got)); again != got || err != nil {
				t.Errorf("%q is shown as %q", text, formatSize(got))
			}
		}
	}
}

func TestDistance(t *testing.T) {
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"listen", "listen", 0}, {"lisen", "listen", 1}, {"kitten", "sitting", 3}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%s, %s: %d, want %d", test.a, test.b, got, test.want)
		}
	}
}
