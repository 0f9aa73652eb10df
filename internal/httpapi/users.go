package httpapi

import (
	"net/http"
	"slices"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
)

func (a *API) users() []operation {
	params := append(userParams(), a.namespaceParam())
	return []operation{
		{
			method: http.MethodGet, path: "/api/users/{user}/sessions", id: "listUserSessions", summary: "The sessions of a user", answer: "Sessions",
			codes: []Code{Unavailable, InDoubt}, doc: `Needs the grant presence for "*".`, params: slices.Concat(params, pageParams()), handle: listUserSessions,
		},
		{
			method: http.MethodDelete, path: "/api/users/{user}/sessions", id: "disconnectUser", summary: "Disconnect a user", answer: "Disconnected",
			codes: []Code{Unavailable, InDoubt}, doc: `Needs the grant join for "*". A user who is not connected is no fault.`,
			params: slices.Concat(params, []parameter{closeParam()}), handle: disconnectUser,
		},
	}
}

func listUserSessions(c *call) ([]byte, error) {
	room := c.user()
	if err := c.needAll(auth.Presence); err != nil {
		return nil, err
	}
	return c.list(belfry.Target{Rooms: []belfry.Room{room}})
}

func disconnectUser(c *call) ([]byte, error) {
	if err := c.needAll(auth.Join); err != nil {
		return nil, err
	}
	room, sp, whole := c.user(), c.space(), c.flag("closeTransport", false)
	if err := c.invalid(); err != nil {
		return nil, err
	}
	found, part, err := c.api.find(c.r.Context(), sp, belfry.Target{Rooms: []belfry.Room{room}})
	if err != nil {
		return nil, err
	}
	return c.disconnect(sp, room, whole, found, part)
}
