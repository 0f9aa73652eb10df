package engineio

import (
	"net/url"
	"strings"
)

// query is what the protocol reads from a request's query string.
type query struct {
	transport string
	sid       string
	jsonp     string // callback index
	protocol  uint8
	hasSID    bool
	hasJSONP  bool
	base64    bool // protocol 3: the client cannot take binary answers
}

// parseQuery reads the parameters that the protocol knows and skips all others.
// Of a repeated parameter the last one counts. A parameter that cannot be
// decoded counts as absent.
func parseQuery(raw string) query {
	q := query{protocol: 3} // whatever is not "4" is the old protocol
	for pair := range strings.SplitSeq(raw, "&") {
		key, value, _ := strings.Cut(pair, "=")
		value, err := url.QueryUnescape(value)
		if err != nil {
			continue
		}
		switch key {
		case "EIO":
			q.protocol = 3
			if value == "4" {
				q.protocol = 4
			}
		case "transport":
			q.transport = value
		case "sid":
			q.sid, q.hasSID = value, true
		case "j":
			q.jsonp, q.hasJSONP = value, true
		case "b64":
			q.base64 = value != ""
		}
	}
	return q
}
