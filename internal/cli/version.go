package cli

import (
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Tell the version and how this program was built",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return describeBuild(readBuild()).write(cmd.OutOrStdout())
		},
	}
}

// build is what is known of how the program was built; unknown parts are empty.
type build struct {
	version  string
	commit   string
	time     string
	modified bool
	golang   string
}

func readBuild() *debug.BuildInfo {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return &debug.BuildInfo{GoVersion: runtime.Version()}
	}
	return info
}

func describeBuild(info *debug.BuildInfo) build {
	b := build{version: info.Main.Version, golang: info.GoVersion}
	if b.version == "" {
		b.version = "(devel)"
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.commit = s.Value
		case "vcs.time":
			b.time = s.Value
		case "vcs.modified":
			b.modified = s.Value == "true"
		}
	}
	return b
}

func (b build) write(w io.Writer) error {
	text := fmt.Sprintf("belfry %s\n", b.version)
	if b.commit != "" {
		text += fmt.Sprintf("commit  %s", b.commit)
		if b.modified {
			text += ", with changes"
		}
		text += "\n"
	}
	if b.time != "" {
		text += fmt.Sprintf("of      %s\n", b.time)
	}
	text += fmt.Sprintf("built   with %s for %s/%s\n", b.golang, runtime.GOOS, runtime.GOARCH)
	_, err := io.WriteString(w, text)
	return err
}
