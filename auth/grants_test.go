package auth_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

func TestGrants(t *testing.T) {
	for _, test := range []struct {
		pattern, user, room string
		want                bool
	}{
		{"chat", "ada", "chat", true},
		{"chat", "ada", "chats", false},
		{"chat", "ada", "", false},
		{"*", "ada", "anything", true},
		{"*", "ada", "\x00user:eve", false},
		{"\x00*", "ada", "\x00user:eve", false},
		{"chat:*", "ada", "chat:", true},
		{"chat:*", "ada", "chat:1:2", true},
		{"chat:*", "ada", "chat", false},
		{"*:chat", "ada", "a:chat", true},
		{"a*b*c", "ada", "a-b-b-c", true},
		{"a*b*c", "ada", "abc", true},
		{"a*b*c", "ada", "ac", false},
		{"ab*ba", "ada", "aba", false},
		{"a**b", "ada", "ab", true},
		{"inbox:{sub}", "ada", "inbox:ada", true},
		{"inbox:{sub}", "ada", "inbox:eve", false},
		{"inbox:{sub}", "*", "inbox:eve", false},
		{"inbox:{sub}", "*", "inbox:*", true},
		{"inbox:{sub}", "{sub}", "inbox:{sub}", true},
		{"inbox:{sub}", "", "inbox:", false},
		{"{sub}:*:{sub}", "ada", "ada:x:ada", true},
	} {
		g, err := auth.Rules{Join: []string{test.pattern}}.For(test.user)
		if err != nil {
			t.Fatal(err)
		}
		if got := g.May(auth.Join, belfry.Room(test.room)); got != test.want {
			t.Errorf("%q of %q: room %q: %v, want %v", test.pattern, test.user, test.room, got, test.want)
		}
		for _, other := range []auth.Action{auth.Publish, auth.Presence, auth.History, 200} {
			if g.May(other, belfry.Room(test.room)) {
				t.Errorf("%q for join also allows action %v", test.pattern, other)
			}
		}
	}
	if (auth.Grants{}).May(auth.Join, "room") || (auth.Grants{}).API() {
		t.Error("the zero value allows something")
	}
}

func TestRulesThatCannotWork(t *testing.T) {
	for text, want := range map[string]string{
		`{"jion":["*"]}`:               `unknown field "jion"`,
		`{"join":"*"}`:                 "cannot unmarshal string",
		`{"join":[""]}`:                "empty",
		`{"publish":["inbox:{user}"]}`: "braces are only for {sub}",
		`{"history":["` + strings.Repeat("x", 513) + `"]}`:      "513 bytes",
		`{"presence":[` + strings.Repeat(`"x",`, 256) + `"x"]}`: "presence has 257 patterns",
	} {
		r, err := auth.ParseRules([]byte(text))
		if err == nil {
			err = r.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: %v, want %q", text, err, want)
		}
	}
}

func TestMayDoesNotAllocate(t *testing.T) {
	g, err := auth.Rules{Publish: []string{"inbox:{sub}", "a*b*c", "chat:*"}}.For("ada")
	if err != nil {
		t.Fatal(err)
	}
	allowed := true
	if n := testing.AllocsPerRun(100, func() { allowed = allowed && g.May(auth.Publish, "chat:general") }); n != 0 || !allowed {
		t.Errorf("%v allocations, allowed: %v", n, allowed)
	}
}

func BenchmarkMay(b *testing.B) {
	g, err := auth.Rules{Publish: []string{"inbox:{sub}", "a*b*c", "chat:*"}}.For("ada")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		g.May(auth.Publish, "chat:general")
	}
}

// FuzzPattern compares patterns with regular expressions.
func FuzzPattern(f *testing.F) {
	f.Add("a*b*c", "ada", "a-b-b-c")
	f.Add("inbox:{sub}*", "*", "inbox:*x")
	f.Add("*ab*ab", "", "ab")
	f.Fuzz(func(t *testing.T, text, user, room string) {
		g, err := auth.Rules{Join: []string{text}}.For(user)
		if err != nil {
			return
		}
		var b strings.Builder
		for i, part := range strings.Split(text, "*") {
			if i > 0 {
				b.WriteString(`[\x00-\xff]*`)
			}
			b.WriteString(regexp.QuoteMeta(latin1(strings.ReplaceAll(part, "{sub}", user))))
		}
		re, err := regexp.Compile(`^` + b.String() + `$`)
		if err != nil {
			t.Skip(err)
		}
		want := re.MatchString(latin1(room)) && room != "" && room[0] != 0 && (user != "" || !strings.Contains(text, "{sub}"))
		if got := g.May(auth.Join, belfry.Room(room)); got != want {
			t.Errorf("%q of %q, room %q: %v, the expression %v says %v", text, user, room, got, re, want)
		}
	})
}

// latin1 makes each byte a character, so that an expression sees bytes.
func latin1(s string) string {
	r := make([]rune, len(s))
	for i := range len(s) {
		r[i] = rune(s[i])
	}
	return string(r)
}

func FuzzRules(f *testing.F) {
	f.Add([]byte(`{"join":["chat:*"],"publish":["inbox:{sub}"],"api":true}`))
	f.Add([]byte(`{"join":[1]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := auth.ParseRules(text)
		if err != nil {
			return
		}
		if g, err := r.For("ada"); err == nil && g.API() != r.API {
			t.Errorf("%q: api is %v, want %v", text, g.API(), r.API)
		}
	})
}
