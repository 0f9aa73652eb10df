package meet_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/examples/meet"
	"github.com/seed-09a96375/belfry/socketio"
	"github.com/seed-09a96375/belfry/socketio/socketiotest"
)

func handler(srv *socketio.Server, m *meet.Meet) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/socket.io/", srv)
	mux.Handle("/api/", m.API())
	mux.Handle("/meet/", http.StripPrefix("/meet", m.Page()))
	return mux
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	r, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// TestOrder holds the order in which system 002 tells of each change.
func TestOrder(t *testing.T) { onEachBus(t, order) }

func order(t *testing.T, cluster clusterFunc) {
	nodes := cluster(t, 2, never, meet.Options{})
	ada := join(t, nodes[0], "r", "ada")
	lists := []string{"room-users-updated", "room-stats-updated"}
	if got, want := ada.names(0), append([]string{"existing-users"}, lists...); !slices.Equal(got, want) {
		t.Errorf("who comes first hears %v, want %v", got, want)
	}
	grace := join(t, nodes[1], "r", "grace")
	ada.waitUsers("ada", "grace")
	if got, want := grace.names(0), append([]string{"existing-users"}, lists...); !slices.Equal(got, want) {
		t.Errorf("who joins hears %v, want %v", got, want)
	}
	if got := string(grace.Heard[0].Args[0]); got != `["ada"]` {
		t.Errorf("existing-users are %s, want ada", got)
	}
	for _, step := range []struct {
		event string
		done  func(c *client)
		want  string
	}{
		{"start-sharing", func(c *client) { c.waitSharer("grace") }, "user-started-sharing grace"},
		{"stop-sharing", func(c *client) { c.waitSharer("") }, "user-stopped-sharing grace"},
		{"leave-room", func(c *client) { c.waitUsers("ada") }, "user-left grace"},
	} {
		before := len(ada.Heard)
		grace.must(step.event, "r", "grace")
		step.done(ada)
		if got, want := ada.names(before), append([]string{step.want}, lists...); !slices.Equal(got, want) {
			t.Errorf("after %s the other hears %v, want %v", step.event, got, want)
		}
	}
	if i := slices.IndexFunc(grace.names(0), func(s string) bool { return strings.HasPrefix(s, "user-") }); i >= 0 {
		t.Errorf("who acts is told of it: %v", grace.names(0))
	}
}

func TestPayloads(t *testing.T) {
	nodes := cluster(t, 2, never, meet.Options{})
	before := time.Now().Add(-time.Second)
	ada := join(t, nodes[0], "r", "ada")
	grace := join(t, nodes[1], "r", "grace")
	ada.must("start-sharing", "r", "ada")
	stats := grace.waitSharer("ada")
	byUser := make(map[string]meet.User)
	var list []string
	for _, u := range stats.Users {
		byUser[u.ID] = u
		list = append(list, fmt.Sprintf(`{"id":%q,"socketId":%q,"isSharing":%v}`, u.ID, u.SocketID, u.ID == "ada"))
	}
	if stats.UserCount != 2 || byUser["ada"].SocketID != ada.ID || byUser["grace"].SocketID != grace.ID {
		t.Errorf("stats are %+v", stats)
	}
	if at := byUser["ada"].JoinedAt; at.Before(before) || at.After(time.Now().Add(time.Second)) {
		t.Errorf("ada joined at %v, not now", at)
	}
	got := grace.Heard[slices.IndexFunc(grace.Heard, func(e socketiotest.Event) bool { return e.Name == "user-started-sharing" })+1]
	if want := "[" + strings.Join(list, ",") + "]"; got.Name != "room-users-updated" || string(got.Args[0]) != want {
		t.Errorf("%s is %s, want %s", got.Name, got.Args[0], want)
	}
	heard := string(grace.Heard[len(grace.Heard)-1].Args[0])
	for _, url := range nodes {
		if status, body := get(t, url+"/api/room/r/stats"); status != http.StatusOK || strings.TrimSpace(body) != heard {
			t.Errorf("stats route says %d %s, want what clients hear: %s", status, body, heard)
		}
		if status, body := get(t, url+"/api/rooms"); status != http.StatusOK || strings.TrimSpace(body) != `[{"roomId":"r",`+heard[1:]+`]` {
			t.Errorf("rooms route says %d %s", status, body)
		}
	}
}

func TestUnknownRoom(t *testing.T) {
	url := cluster(t, 1, never, meet.Options{})[0]
	for path, want := range map[string]string{
		"/api/room/none/stats": `{"userCount":0,"users":[],"sharingUser":null}`,
		"/api/rooms":           `[]`,
	} {
		if status, body := get(t, url+path); status != http.StatusOK || strings.TrimSpace(body) != want {
			t.Errorf("%s is %d %s, want %s", path, status, body, want)
		}
	}
}

func TestRoomEndsWithTheLast(t *testing.T) {
	nodes := cluster(t, 2, never, meet.Options{})
	ada := join(t, nodes[0], "r", "ada")
	ada.must("start-sharing", "r", "ada")
	heard := len(ada.Heard)
	ada.must("leave-room", "r", "ada")
	if _, body := get(t, nodes[1]+"/api/rooms"); strings.TrimSpace(body) != "[]" {
		t.Errorf("rooms are %s, want none", body)
	}
	join(t, nodes[1], "r", "grace").must("start-sharing", "r", "grace") // nothing of the old room is left
	ada.must("join-room", "other", "ada")
	for _, e := range ada.names(heard) {
		if strings.HasPrefix(e, "user-left") {
			t.Error("the one who leaves is told of it")
		}
	}
}

func TestPage(t *testing.T) {
	url := serve(t, socketio.Options{}, meet.Options{
		ICEServers: []meet.ICEServer{{URLs: []string{"stun:192.0.2.1"}}}, Links: []meet.Link{{Text: "more", URL: "/"}},
	})
	for path, want := range map[string]string{
		"/meet/":                  `data-testid="meet-join"`,
		"/meet/room/any?name=Ada": `data-testid="meet-video"`,
		"/meet/room.js":           "start-sharing",
		"/meet/start.js":          `^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$`, // as in input.go
		"/meet/config.json":       `{"iceServers":[{"urls":["stun:192.0.2.1"]}],"links":[{"text":"more","url":"/"}]}`,
	} {
		if status, body := get(t, url+path); status != http.StatusOK || !strings.Contains(body, want) {
			t.Errorf("%s is %d %s, want %s in it", path, status, body, want)
		}
	}
}
