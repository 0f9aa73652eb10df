// Command generate writes the reference and the sample of the configuration. It is
// for go generate, which runs it in the folder above.
package main

import (
	"fmt"
	"io"
	"os"

	"github.com/seed-09a96375/belfry/internal/config"
)

func main() {
	for name, write := range map[string]func(io.Writer) error{
		"../../docs/configuration.md": config.WriteReference,
		"../../deploy/belfry.yaml":    config.WriteSample,
	} {
		if err := generate(name, write); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	}
}

func generate(name string, write func(io.Writer) error) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		_ = f.Close()
		return err
	}
	return f.Close()
}
