//go:build !race

package interop

func raceFlag() []string { return nil }
