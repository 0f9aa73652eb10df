package config

import (
	"fmt"
	"io"
	"strings"
)

// WriteSample writes deploy/belfry.yaml: all settings, each switched off by a mark
// without a space behind it.
func WriteSample(w io.Writer) error {
	var b strings.Builder
	b.WriteString(sampleHead)
	sample(&b, New().root, "", true)
	_, err := io.WriteString(w, b.String())
	return err
}

const sampleHead = `# Configuration of belfry serve, made by make gen. docs/configuration.md says more.
# To set something remove the "#" before it, and before the names of the sections
# that it is in. Check with: belfry check --config FILE
`

func sample(b *strings.Builder, nodes []node, indent string, spaced bool) {
	for _, n := range nodes {
		if spaced {
			b.WriteString("\n")
		}
		fmt.Fprintf(b, "%s# %s\n", indent, strings.ReplaceAll(n.text(), "`", ""))
		switch n := n.(type) {
		case *setting:
			fmt.Fprintf(b, "%s#%s: %s\n", indent, n.name, sampleValue(n))
		case *section:
			fmt.Fprintf(b, "%s#%s:\n", indent, n.name)
			sample(b, n.nodes, indent+"  ", false)
		case *list:
			fmt.Fprintf(b, "%s#%s:\n%s  #-\n", indent, n.name, indent)
			sample(b, n.add(), indent+"    ", false)
		}
	}
}

func sampleValue(s *setting) string {
	text := s.standard
	if text == "" {
		text = s.example
	}
	switch s.value.(type) {
	case *texts:
		return "[" + quoteAll(strings.Split(text, ",")) + "]"
	case *pairs:
		return "{" + text + "}"
	}
	return quote(text)
}

func quoteAll(all []string) string {
	for i, text := range all {
		all[i] = quote(text)
	}
	return strings.Join(all, ", ")
}

// quote leaves alone what YAML reads as it is.
func quote(text string) string {
	if text != "" && !strings.ContainsAny(text, `:*{}#&!|>'"%@,[]`) {
		return text
	}
	return `"` + text + `"`
}
