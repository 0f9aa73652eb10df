package archive_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/sqlite"
	"github.com/seed-09a96375/belfry/bus/memory"
)

// A client reads the newest page of a room, joins the room with the page's offset, and
// pages back as far as it likes.
func ExampleReader() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	dir, err := os.MkdirTemp("", "history")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	store, err := sqlite.Open(ctx, sqlite.Options{File: filepath.Join(dir, "messages.db")})
	if err != nil {
		panic(err)
	}
	defer func() { _ = store.Close() }()
	for n := range 5 {
		e := archive.Entry{
			ID: fmt.Sprint("m", n), Namespace: "/", Room: "lobby", Event: "chat",
			Args: json.RawMessage(fmt.Sprintf(`["hello %d"]`, n)), Time: time.Date(2026, 1, 1, 0, 0, n, 0, time.UTC),
		}
		if err := store.Append(ctx, []archive.Entry{e}); err != nil {
			panic(err)
		}
	}

	link, err := memory.New(memory.Options{Log: &memory.Log{}}).Attach(ctx, deaf{"node-1"})
	if err != nil {
		panic(err)
	}
	reader, err := archive.NewReader(archive.ReaderOptions{Store: store, Log: link.(belfry.Log), Delay: time.Millisecond, Interval: time.Millisecond})
	if err != nil {
		panic(err)
	}
	var all sync.WaitGroup
	all.Go(func() { reader.Run(ctx) })

	page := &archive.Page{}
	for page.Offset == "" { // at first the reader has not watched the log for long enough
		if page, err = reader.Page(ctx, archive.Query{Room: "lobby", Limit: 3}); err != nil {
			panic(err)
		}
	}
	for _, e := range page.Entries {
		fmt.Println(e.ID, string(e.Args))
	}
	fmt.Println("join the room with an offset:", page.Offset != "")

	older, err := reader.Page(ctx, archive.Query{Room: "lobby", Limit: 3, Before: page.Next})
	if err != nil {
		panic(err)
	}
	for _, e := range older.Entries {
		fmt.Println(e.ID, string(e.Args))
	}
	fmt.Println("there is more:", !older.Next.IsZero())
	stop()
	all.Wait()
	_ = link.Close(context.Background())
	// Output:
	// m4 ["hello 4"]
	// m3 ["hello 3"]
	// m2 ["hello 2"]
	// join the room with an offset: true
	// m1 ["hello 1"]
	// m0 ["hello 0"]
	// there is more: false
}
