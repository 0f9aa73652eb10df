//go:build !linux

package poll_test

func runChild() {}
