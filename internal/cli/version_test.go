package cli

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestDescribeBuild(t *testing.T) {
	released := &debug.BuildInfo{GoVersion: "go1.99", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "abc"}, {Key: "vcs.time", Value: "2026-01-02T03:04:05Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	for _, test := range []struct {
		name string
		info *debug.BuildInfo
		want []string
		not  string
	}{
		{"release", released, []string{"belfry v1.2.3\n", "commit  abc, with changes\n", "of      2026-01-02T03:04:05Z\n", "with go1.99 for "}, "(devel)"},
		{"nothing known", &debug.BuildInfo{GoVersion: "go1.99"}, []string{"belfry (devel)\n", "with go1.99 for "}, "commit"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			if err := describeBuild(test.info).write(&out); err != nil {
				t.Fatal(err)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%q does not contain %q", out.String(), want)
				}
			}
			if strings.Contains(out.String(), test.not) {
				t.Errorf("%q contains %q", out.String(), test.not)
			}
		})
	}
}
