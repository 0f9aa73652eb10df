package config

import "strings"

// suggest names the setting that an unknown key is likely to mean.
func (t *Tree) suggest(path, key string, siblings []node) string {
	key = strings.ToLower(strings.ReplaceAll(key, "-", "_"))
	best, least := "", nearness(key)+1
	for _, n := range siblings {
		if d := distance(key, n.key()); d < least {
			best, least = join(path, n.key()), d
		}
	}
	if best == "" {
		best = t.elsewhere(key)
	}
	if best == "" {
		return ""
	}
	return ": did you mean " + best + "?"
}

// nearness is how many letters may be wrong.
func nearness(key string) int {
	const short = 4
	if len(key) < short {
		return 1
	}
	return max(2, len(key)/3)
}

// elsewhere finds a setting in another section by its name, or by that of its flag.
func (t *Tree) elsewhere(key string) (found string) {
	walk(t.root, "", func(path string, s *setting) {
		if s.name == key || strings.ReplaceAll(s.flag, "-", "_") == key {
			if found == "" {
				found = path
			}
		}
	})
	return found
}

// distance is Levenshtein's, up to the length that keys have.
func distance(a, b string) int {
	const most = 64
	if len(a) > most || len(b) > most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
