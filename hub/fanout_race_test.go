//go:build race

package hub

func raceEnabled() bool { return true }
