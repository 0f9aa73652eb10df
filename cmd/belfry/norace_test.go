//go:build !race && unix

package main_test

// detector makes the command look for races when the test does.
const detector = "-race=false"
