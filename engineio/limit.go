package engineio

// sessionLimit is the number of sessions that the process can hold, for
// Options.MaxSessions max. 0: no bound.
func sessionLimit(max int) (int, error) {
	if max >= 0 {
		return max, nil
	}
	return 0, nil
}
