//go:build !linux

package worker

import "io"

// Run needs Linux: epoll.
func Run(io.Reader, io.Writer) error {
	return &Fault{Text: "the load generator needs Linux", Advice: "run it in a container or on another machine; the server under test may be anywhere"}
}
