package memory

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/seed-09a96375/belfry"
)

func session(i int) *belfry.Session {
	return &belfry.Session{ID: belfry.SessionID(fmt.Sprint("s", i)), Namespace: "/"}
}

func (t *sessions) has(i int) bool {
	s, err := t.take("/", session(i).ID, "n", "")
	return err == nil && s.ID == session(i).ID
}

func TestSessionsExpireOnTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newSessions(1000)
		for _, i := range rand.New(rand.NewPCG(1, 2)).Perm(100) {
			_ = store.keep(session(i), time.Duration(i)*time.Second, "n", false)
		}
		_ = store.keep(session(90), 200*time.Second, "n", false) // later than it was
		<-time.After(50 * time.Second)                           // of the bubble's clock
		if store.has(49) || !store.has(50) || !store.has(51) {
			t.Error("wrong sessions after 50 s")
		}
		if n := len(store.byKey); n != 48 || n != len(store.soonest) {
			t.Errorf("%d sessions are held, %d in the order of expiry, want 48", n, len(store.soonest))
		}
		<-time.After(time.Minute)
		if !store.has(90) {
			t.Error("the session that was kept for longer is gone")
		}
		if n := len(store.byKey); n != 0 {
			t.Errorf("%d sessions are held, want none", n)
		}
	})
}

func TestSessionsAreBounded(t *testing.T) {
	store := newSessions(10)
	for i := range 100 {
		_ = store.keep(session(i), time.Hour+time.Duration(i%20)*time.Minute, "n", false)
	}
	if n := len(store.byKey); n != 10 || n != len(store.soonest) {
		t.Fatalf("%d sessions are held, want 10", n)
	}
	for _, i := range []int{18, 38, 58, 78, 98, 19, 39, 59, 79, 99} { // those that expire last
		if !store.has(i) {
			t.Errorf("session %d is gone", i)
		}
	}
}

func TestKeptSessionIsACopy(t *testing.T) {
	store := newSessions(10)
	s := session(1)
	s.Rooms = []belfry.Membership{{Room: "a"}}
	s.Data = []byte("data")
	_ = store.keep(s, time.Hour, "n", false)
	s.Rooms[0].Room, s.Data[0], s.Socket = "b", 'D', "changed"
	got, err := store.take("/", s.ID, "n", "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Rooms[0].Room != "a" || string(got.Data) != "data" || got.Socket != "" {
		t.Errorf("the kept session changed with the caller's: %+v", got)
	}
	var held *belfry.HeldError
	if _, err := store.take("/", s.ID, "other", ""); !errors.As(err, &held) || held.Owner != "n" {
		t.Errorf("second take: %v, want that n holds it", err)
	}
}
