package fleet

// HashQuickly is HashPassword for tests, which have many logins.
func HashQuickly(password string) (string, error) { return hashWith(password, 1000) }
