//go:build unix

package redis

import (
	"testing"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

func attach(t testing.TB, b *Bus, id belfry.NodeID) (*redistest.Ledger, belfry.Link) {
	t.Helper()
	return redistest.Attach(t, b, id)
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// linkOf returns the link of this package.
func linkOf(l belfry.Link) *link {
	if f, ok := l.(*following); ok {
		return f.link
	}
	return l.(*link)
}
