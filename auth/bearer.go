package auth

import "strings"

// Bearer returns the token of an Authorization header (RFC 6750 section 2.1), empty
// if it has none.
func Bearer(header string) string {
	scheme, token, _ := strings.Cut(strings.TrimSpace(header), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}
