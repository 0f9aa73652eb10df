package lab

import (
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are taken from below those that systems give to outgoing connections,
// so that nobody takes one while its server is being restarted.
const (
	lowestPort = 20_000
	ports      = 10_000
)

// freePort returns a port of the loopback interface that nobody listens at.
func freePort() (int, error) {
	for range 100 {
		port := lowestPort + rand.IntN(ports)
		if l, err := net.Listen("tcp", address(port)); err == nil {
			return port, l.Close()
		}
	}
	return 0, fmt.Errorf("no free port from %d to %d", lowestPort, lowestPort+ports-1)
}

func address(port int) string { return fmt.Sprint("127.0.0.1:", port) }
