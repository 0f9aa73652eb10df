package httpapi

import (
	"errors"
	"net/http"
	"slices"
	"strconv"

	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/history"
)

func (a *API) history() operation {
	return operation{
		method: http.MethodGet, path: "/api/rooms/{room}/history", id: "getHistory", summary: "The past of a room", answer: "History",
		codes: []Code{NotSupported, Unavailable},
		doc:   "Where the node has an archive. A page holds nothing that is newer than its offset: who joins the room with that misses nothing, and gets nothing twice. Needs the grant history for the room.",
		params: slices.Concat([]parameter{inPath("room", "name, percent-encoded: %2F for a slash", maxRoom)}, []parameter{
			{"before", "query", "position: only what is older", schema{"type": "string"}},
			{"after", "query", "position: only what is newer", schema{"type": "string"}},
			{"oldest", "query", "true: the oldest first; default false", schema{"type": "boolean"}},
			{"limit", "query", "most entries; default 50", schema{"type": "integer", "minimum": 1, "maximum": archive.MaxLimit}},
		}),
		handle: getHistory,
	}
}

func getHistory(c *call) ([]byte, error) {
	room := c.room()
	q := history.Query{Before: c.query.Get("before"), After: c.query.Get("after"), Oldest: c.flag("oldest", false)}
	if text := c.query.Get("limit"); text != "" {
		var err error
		if q.Limit, err = strconv.Atoi(text); err != nil || q.Limit < 1 || q.Limit > archive.MaxLimit {
			c.fault("limit", "must be a number from 1 to "+strconv.Itoa(archive.MaxLimit))
		}
	}
	if err := errors.Join(c.invalid(), c.need(auth.History, room)); err != nil {
		return nil, err
	}
	if c.api.o.History == nil {
		return nil, newProblem(NotSupported, "this node has no archive: see the section archive of the configuration")
	}
	page, err := c.api.o.History(c.r.Context(), room, q)
	var known *history.Error
	switch {
	case errors.As(err, &known) && known.Code == history.Invalid:
		return nil, newProblem(Invalid, "%s", known.Message)
	case errors.As(err, &known):
		return nil, newProblem(Unavailable, "%s", known.Message)
	case err != nil:
		return nil, err
	}
	return marshal(page)
}

// historySchemas are those of its answer.
func historySchemas() map[string]schema {
	return map[string]schema{
		"History": structure(schema{
			"entries": list(ref("PastMessage")), "next": is("string", "position: give this as before, or with oldest as after, for what follows; not there at the end"),
			"offset": is("string", "to join the room with; not there if the node does not know one yet"),
			"behind": is("integer", "how late the archive is, seconds; not there if that is within its delay"),
		}, "entries"),
		"PastMessage": structure(schema{
			"id": is("string", ""), "event": is("string", "its name"), "args": list(schema{}), "text": is("string", "what people read of it"),
			"user": is("string", "who sent it"), "socket": is("string", "that sent it"), "offset": is("string", "its position in the log"),
			"time": schema{"type": "string", "format": "date-time"},
		}, "id", "event", "args", "time"),
	}
}
