package config

import (
	"fmt"
	"io"
	"strings"
)

// WriteReference writes docs/configuration.md.
func WriteReference(w io.Writer) error {
	var b strings.Builder
	b.WriteString(referenceHead)
	table(&b, New().root, "")
	_, err := io.WriteString(w, b.String())
	return err
}

const referenceHead = `# Configuration

<!-- Made by make gen from internal/config. -->

A setting is given by a file, by an environment variable or by a flag. A flag goes
before a variable, a variable before the file.

    belfry serve --config belfry.yaml      BELFRY_CONFIG names the file, too
    belfry check --config belfry.yaml      is it right? lists all faults, with line and column

[deploy/belfry.yaml](../deploy/belfry.yaml) has all settings, to be copied. What is
not a setting is a fault, and the nearest one is suggested. Nothing is reloaded: a
node that is restarted keeps its clients, see [running.md](running.md), which also says what
clients do with tokens.

- Durations have units: ` + "`500ms`, `30s`, `2m`, `24h`" + `. Sizes may: ` + "`64KiB`, `1MB`, `1000000`" + `.
- Lists are sequences in the file; in variables and flags commas part them.
- A setting that is marked *secret* may name a file that holds it: ` + "`file:/run/secrets/name`" + `.
  What is relative in the configuration file is found from its folder.
- A variable that is empty, and a key without a value, say nothing.

`

// table writes the settings of one section, and then the sections below it.
func table(b *strings.Builder, nodes []node, path string) {
	b.WriteString("| setting | default | flag | variable | |\n|---|---|---|---|---|\n")
	for _, n := range nodes {
		if s, ok := n.(*setting); ok {
			row(b, join(path, s.name), s)
		}
	}
	for _, n := range nodes {
		full := join(path, n.key())
		switch n := n.(type) {
		case *section:
			heading(b, full, n.usage)
			table(b, n.nodes, full)
		case *list:
			heading(b, full, n.usage+". A list of")
			table(b, n.add(), full+"[]")
		}
	}
}

func heading(b *strings.Builder, path, usage string) {
	fmt.Fprintf(b, "\n## %s\n\n%s.\n\n", path, strings.TrimSuffix(usage, "."))
}

func row(b *strings.Builder, path string, s *setting) {
	flag := ""
	if s.flag != "" {
		flag = "--" + s.flag
	}
	about := plain(s.usage)
	if s.secret {
		about += " *(secret)*"
	}
	fmt.Fprintf(b, "| %s | %s | %s | %s | %s |\n", code(path), code(s.standard), code(flag), code(s.variable(path)), about)
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

// plain is a usage without the marks of its placeholder.
func plain(usage string) string {
	return strings.NewReplacer("`", "", "*", `\*`, "|", `\|`).Replace(usage)
}
