package belfry_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/seed-09a96375/belfry"

// rule says what packages of this module a package may import. Packages are
// named by their folder, "." is the root; x/... is x and all below it. Everyone
// may import what is below their own folder.
type rule struct {
	packages string
	may      []string
}

// importRules point one way: vocabulary ← poll, codecs ← websocket ← engineio ←
// hub ← fronts ← product. The first rule that fits a package counts.
var importRules = []rule{
	{".", nil},
	{"internal/inbox", nil},
	{"internal/wheel", nil},
	{"poll/cork", nil},
	{"internal/limit", nil},
	{"internal/origin", nil},
	{"internal/roster", []string{"poll"}},
	{"internal/forward", []string{".", "engineio", "poll"}},
	{"auth", []string{"."}},
	{"poll", []string{".", "poll/cork"}},
	{"engineio/packet", []string{"."}},
	{"socketio/packet", []string{"."}},
	{"socketio/socketiotest", []string{"."}},
	{"bus/redis", []string{".", "redisconn"}},
	{"bus/...", []string{"."}},
	{"archive/...", []string{".", "archive"}},
	{"redisconn", nil},
	{"kafkaconn", nil},
	{"source/kafka", []string{".", "kafkaconn"}},
	{"queue/kafka", []string{".", "kafkaconn"}},
	{"queue/consume", []string{"."}},
	{"queue/queuetest", []string{"."}},
	{"queue/memory", []string{".", "queue/consume"}},
	{"queue/redisstream", []string{".", "queue/consume", "redisconn"}},
	{"client", []string{".", "queue/consume", "queue/redisstream", "redisconn"}},
	{"queue/webhook", []string{"."}},
	{"source/lease", nil},
	{"source/sourcetest", []string{"."}},
	{"source/redisstream", []string{".", "source/lease"}},
	{"source/redischannel", []string{".", "source/lease"}},
	{"websocket", []string{".", "poll"}},
	{"engineio", []string{".", "poll/cork", "internal/wheel", "poll", "websocket"}},
	{"hub", []string{".", "poll/cork", "internal/inbox"}},
	{"socketio", []string{".", "bus/memory", "engineio", "hub", "internal/forward", "internal/inbox", "internal/limit", "poll", "websocket"}},
	{"stomp/frame", nil},
	{"stomp", []string{".", "hub", "poll/cork", "internal/inbox", "internal/limit", "internal/origin", "internal/roster", "internal/wheel", "poll", "socketio/packet", "websocket"}},
	{"plain", []string{".", "hub", "internal/inbox", "internal/limit", "internal/origin", "internal/roster", "internal/wheel", "poll", "socketio/packet", "websocket"}},
	{"examples/orders/backend", []string{"client", "examples/orders"}},
	{"examples/fleet/producer", []string{"examples/fleet", "kafkaconn"}},
	{"examples/look", nil},
	{"examples/...", []string{".", "archive", "bus/...", "client", "engineio", "examples/look", "hub", "kafkaconn", "poll", "redisconn", "socketio", "stomp", "websocket"}},
	{"internal/...", []string{
		".", "archive/...", "auth", "bus/...", "client", "engineio/...", "examples/...", "hub", "internal/...", "kafkaconn",
		"plain", "poll", "queue/...", "redisconn", "socketio/...", "source/...", "stomp/...", "websocket",
	}},
	{"cmd/...", []string{"internal/cli"}},
}

// kinds are names for what has no layer: a package is a layer or a technology.
var kinds = []string{"common", "helper", "helpers", "misc", "models", "shared", "types", "util", "utils"}

// covers reports whether a pattern of a rule fits a package.
func covers(pattern, pkg string) bool {
	base, all := strings.CutSuffix(pattern, "/...")
	return pkg == base || all && strings.HasPrefix(pkg, base+"/")
}

// faults names every import of the graph that no rule allows, and every package
// without a rule or with a wrong name.
func faults(graph map[string][]string) []string {
	var found []string
	for _, pkg := range slices.Sorted(maps.Keys(graph)) {
		if slices.Contains(kinds, path.Base(pkg)) {
			found = append(found, fmt.Sprintf("%s is named after a kind: name it after what it does", pkg))
		}
		i := slices.IndexFunc(importRules, func(r rule) bool { return covers(r.packages, pkg) })
		if i < 0 {
			found = append(found, fmt.Sprintf("%s has no rule: say in importRules what it may import", pkg))
			continue
		}
		for _, imported := range graph[pkg] {
			if !allowed(importRules[i], pkg, imported) {
				found = append(found, fmt.Sprintf("%s imports %s", pkg, imported))
			}
		}
	}
	return found
}

func allowed(r rule, pkg, imported string) bool {
	below := pkg != "." && strings.HasPrefix(imported, pkg+"/")
	return below || slices.ContainsFunc(r.may, func(pattern string) bool { return covers(pattern, imported) })
}

func TestImportsPointOneWay(t *testing.T) {
	graph, err := importGraph(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(graph) < 10 || !slices.Contains(graph["websocket"], "poll") {
		t.Fatalf("read %d packages, websocket imports %v: the graph is not that of this repository", len(graph), graph["websocket"])
	}
	for _, fault := range faults(graph) {
		t.Error(fault)
	}
}

// TestImportFaultsAreFound breaks every rule once.
func TestImportFaultsAreFound(t *testing.T) {
	got := faults(map[string][]string{
		".":               {"hub"},
		"bus/redis":       {".", "bus/redis/script", "hub", "bus/memory"},
		"engineio":        {"engineio/packet", "websocket", "socketio"},
		"examples/chat":   {"socketio", "internal/cli"},
		"internal/common": {"cmd/belfry", "socketio/packet"},
		"internal/inbox":  {"poll"},
		"hub":             {".", "engineio"},
		"cmd/belfry":      {"internal/cli", "interop/wire"},
		"mqtt":            {"hub"},
		"websocket":       {"poll"},
	})
	want := []string{
		". imports hub",
		"bus/redis imports hub",
		"bus/redis imports bus/memory",
		"cmd/belfry imports interop/wire",
		"engineio imports socketio",
		"examples/chat imports internal/cli",
		"hub imports engineio",
		"internal/common is named after a kind: name it after what it does",
		"internal/common imports cmd/belfry",
		"internal/inbox imports poll",
		"mqtt has no rule: say in importRules what it may import",
	}
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// importGraph returns the packages below root with what they import of this
// module, on any system. Tests and other modules are left out.
func importGraph(root string) (map[string][]string, error) {
	graph := make(map[string][]string)
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return skipped(root, file, d.Name())
		}
		if !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		imports, err := importsOf(file)
		pkg := filepath.ToSlash(filepath.Dir(file))
		graph[pkg] = append(graph[pkg], imports...)
		return err
	})
	return graph, err
}

// skipped returns fs.SkipDir for folders that are not part of this module.
func skipped(root, dir, name string) error {
	if dir == root {
		return nil
	}
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	if err == nil || name == "testdata" || name == "node_modules" || strings.HasPrefix(name, ".") {
		return fs.SkipDir
	}
	return nil
}

func importsOf(file string) ([]string, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, spec := range parsed.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		if name == module {
			all = append(all, ".")
		} else if rest, ours := strings.CutPrefix(name, module+"/"); ours {
			all = append(all, rest)
		}
	}
	return all, nil
}
