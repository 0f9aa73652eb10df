// Command generate writes docs/metrics.md. It is for go generate, which runs it in the
// folder above.
package main

import (
	"bytes"
	"fmt"
	"os"

	"github.com/seed-09a96375/belfry/internal/metrics"
)

func main() {
	var b bytes.Buffer
	err := metrics.WriteReference(&b)
	if err == nil {
		err = os.WriteFile("../../docs/metrics.md", b.Bytes(), 0o644) //nolint:gosec // a document
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}
