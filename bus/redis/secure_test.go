//go:build unix

package redis

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// documented returns the words of the command that docs/cluster.md gives for a
// user with all rights that the bus needs, and no others.
func documented(t *testing.T) []string {
	t.Helper()
	page, err := os.ReadFile("../../docs/cluster.md")
	check(t, err)
	_, rest, _ := strings.Cut(string(page), "    acl setuser ")
	command, _, _ := strings.Cut(rest, "\n\n")
	words := strings.Fields(strings.ReplaceAll(command, "\\\n", " "))
	if len(words) < 10 {
		t.Fatalf("docs/cluster.md has no command that makes a user: %v", words)
	}
	return append([]string{"ACL", "SETUSER"}, words...)
}

// TestDocumentedRights: the user may call every command that a script has.
func TestDocumentedRights(t *testing.T) {
	user := documented(t)
	calls := regexp.MustCompile(`redis\.p?call\('([A-Z]+)'`)
	files, err := filepath.Glob("scripts/*.lua")
	check(t, err)
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(t, err)
		for _, call := range calls.FindAllSubmatch(text, -1) {
			if right := "+" + strings.ToLower(string(call[1])); !slices.Contains(user, right) {
				t.Errorf("%s needs %s, which docs/cluster.md does not give", file, right)
			}
		}
	}
}

// TestUserOfItsOwn does everything as that user, and is denied nothing.
func TestUserOfItsOwn(t *testing.T) {
	server := redistest.Start(t)
	server.Must(documented(t)...)
	server.Must("ACL", "LOG", "RESET")
	url := "redis://belfry:secret@" + server.Addr()
	a, la := attach(t, open(t, Options{URL: url}), "a")
	_, lb := attach(t, open(t, Options{URL: url, Interest: true}), "b")
	follower := lb.(belfry.Follower)
	check(t, follower.Follow(t.Context(), "/", "x"))
	check(t, follower.Own(t.Context(), "/", "s"))
	redistest.Publish(t, la, redistest.Message("m", "x"))
	redistest.Publish(t, lb, redistest.Message("n", "x"))
	check(t, follower.Disown(t.Context(), "/", "s"))
	check(t, follower.Unfollow(t.Context(), "/", "x"))
	useSessions(t, la, lb)
	check(t, la.Reply(t.Context(), "b", &belfry.Reply{Request: 1}))
	a.Expect(t, "m", "n")
	for _, l := range []*link{linkOf(la), linkOf(lb)} {
		l.beatOnce(1)
		l.housekeep(sweepEvery * checkEvery * 6)
		if ok, reasons := l.Health(); !ok {
			t.Error(reasons)
		}
	}
	if denied := server.Must("ACL", "LOG"); denied != "*0" {
		t.Errorf("redis denied something: ACL LOG has %s entries", denied)
	}
	wrong := strings.Replace(url, "secret", "not-it", 1)
	if _, err := New(t.Context(), Options{URL: wrong}); err == nil {
		t.Error("a wrong password is accepted")
	} else if strings.Contains(err.Error(), "not-it") {
		t.Errorf("the error tells the password: %v", err)
	}
}

func useSessions(t *testing.T, la, lb belfry.Link) {
	t.Helper()
	here, there := la.(belfry.Sessions), lb.(belfry.Sessions)
	for i := range 3 {
		check(t, here.Hold(t.Context(), childSession(i), 0, false))
	}
	_, err := takeChild(t.Context(), lb, 0, linkOf(la).id)
	check(t, err)
	check(t, here.Keep(t.Context(), childSession(1), 0, true))
	check(t, here.Drop(t.Context(), "/", childSession(2).ID))
	check(t, there.Drop(t.Context(), "/", childSession(0).ID))
	directory := la.(belfry.Directory)
	check(t, directory.Announce(t.Context(), "http://127.0.0.1:1"))
	_, err = directory.Addresses(t.Context())
	check(t, err)
	_, err = la.Peers(t.Context())
	check(t, err)
	log := la.(belfry.Log)
	at, err := log.Position(t.Context())
	check(t, err)
	check(t, log.Replay(t.Context(), "/", at, func(*belfry.Message) error { return nil }))
}

func TestTLS(t *testing.T) {
	server := redistest.StartTLS(t)
	a, la := attach(t, open(t, Options{URL: server.URL(), TLS: server.Config}), "a")
	_, lb := attach(t, open(t, Options{URL: server.URL(), TLS: server.Config}), "b")
	redistest.Publish(t, lb, redistest.Message("m"))
	redistest.Publish(t, la, redistest.Message("n"))
	a.Expect(t, "m", "n")
	if server.Config.ServerName != "" {
		t.Error("the caller's configuration was changed")
	}
}

func TestTLSRefuses(t *testing.T) {
	server := redistest.StartTLS(t)
	anonymous := &tls.Config{RootCAs: server.Config.RootCAs, MinVersion: tls.VersionTLS12}
	for name, o := range map[string]Options{
		"an unknown authority":  {URL: server.URL()},
		"no certificate":        {URL: server.URL(), TLS: anonymous},
		"no TLS on that port":   {URL: strings.Replace(server.URL(), "rediss", "redis", 1)},
		"TLS without rediss://": {URL: server.Server.URL(), TLS: server.Config},
	} {
		if b, err := New(t.Context(), o); err == nil {
			t.Errorf("%s: connected", name)
			b.Close()
		}
	}
}

// TestNoRights: who may not subscribe is told so, and does not wait.
func TestNoRights(t *testing.T) {
	server := redistest.Start(t)
	user := slices.DeleteFunc(documented(t), func(word string) bool { return word == "+psubscribe" })
	server.Must(user...)
	b := open(t, Options{URL: "redis://belfry:secret@" + server.Addr()})
	if _, err := b.Attach(t.Context(), redistest.NewLedger("a")); err == nil || !strings.Contains(err.Error(), "NOPERM") {
		t.Errorf("attach without the right to subscribe: %v, want what Redis says", err)
	}
}
