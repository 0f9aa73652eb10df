package meet

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/socketio"
)

// Stats are who is in a room.
type Stats struct {
	UserCount int    `json:"userCount"`
	Users     []User `json:"users"` // in the order in which they came
	// SharingUser is the id of who shares; nil: nobody.
	SharingUser *string `json:"sharingUser"`
}

// User is somebody in a room.
type User struct {
	Member
	JoinedAt time.Time `json:"joinedAt"`
}

// Member is a User in room-users-updated.
type Member struct {
	ID        string          `json:"id"`
	SocketID  belfry.SocketID `json:"socketId"`
	IsSharing bool            `json:"isSharing"`
}

// statsOf asks the cluster who is in a room.
func statsOf(ctx context.Context, srv *socketio.Server, room belfry.Room) (Stats, error) {
	there, err := srv.Presence(room).Members(ctx)
	if err != nil {
		return Stats{}, err
	}
	share, err := sharerOf(ctx, srv, room)
	if err != nil {
		return Stats{}, err
	}
	stats := Stats{Users: []User{}}
	seen := make(map[string]bool, len(there))
	for _, p := range there {
		if p.User == "" || seen[p.User] {
			continue // not admitted, or not yet
		}
		seen[p.User] = true
		u := User{
			Member:   Member{ID: p.User, SocketID: p.ID, IsSharing: p.ID == share.Owner},
			JoinedAt: p.JoinedAt.UTC().Truncate(time.Millisecond),
		}
		if u.IsSharing {
			stats.SharingUser = &u.ID
		}
		stats.Users = append(stats.Users, u)
	}
	stats.UserCount = len(stats.Users)
	return stats, nil
}

// sharerOf returns the entry of who shares; without an owner if nobody does.
func sharerOf(ctx context.Context, srv *socketio.Server, room belfry.Room) (socketio.Entry, error) {
	e, err := srv.State(room).Get(ctx, sharing)
	if errors.Is(err, socketio.ErrNoEntry) || errors.Is(err, socketio.ErrEmptyRoom) {
		return socketio.Entry{}, nil
	}
	return e, err
}

func (s Stats) members() []Member {
	list := make([]Member, 0, len(s.Users))
	for _, u := range s.Users {
		list = append(list, u.Member)
	}
	return list
}

// others are the ids of all but that user.
func (s Stats) others(than User) []string {
	list := []string{}
	for _, u := range s.Users {
		if u.ID != than.ID {
			list = append(list, u.ID)
		}
	}
	return list
}

func (s Stats) has(user User) bool {
	return slices.ContainsFunc(s.Users, func(u User) bool { return u.ID == user.ID })
}

// sharer returns who shares, the zero User if nobody does.
func (s Stats) sharer() User {
	for _, u := range s.Users {
		if u.IsSharing {
			return u
		}
	}
	return User{}
}
