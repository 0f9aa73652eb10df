package chat

// ForgetLog breaks a chat on purpose: its pages of the past end where the archive ends.
func ForgetLog(c *Chat) { c.past.log = nil }
