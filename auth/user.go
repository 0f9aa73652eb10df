package auth

import "unicode/utf8"

// maxUser bounds the name of a user, bytes; the fronts have the same bound.
const maxUser = 256

func validUser(name string) bool { return len(name) <= maxUser && utf8.ValidString(name) }
