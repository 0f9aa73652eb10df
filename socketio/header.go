package socketio

import "strings"

func lower(name string) string { return strings.ToLower(name) }

// joinHeader is what Node makes of a header that came several times.
func joinHeader(name string, values []string) string {
	if name == "Cookie" {
		return strings.Join(values, "; ")
	}
	return strings.Join(values, ", ")
}
