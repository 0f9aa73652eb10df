package config_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/config"
)

// files are what a test has in place of a disk.
type files map[string]string

func (f files) read(name string) ([]byte, error) {
	text, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return []byte(text), nil
}

const name = "/etc/belfry.yaml"

// load loads a file, an environment and a command line.
func load(t testing.TB, f files, environ map[string]string, args ...string) (*config.Config, error) {
	t.Helper()
	tree := config.New()
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	tree.Flags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	s := config.Sources{ReadFile: f.read, Environ: func(name string) string { return environ[name] }}
	if _, ok := f[name]; ok {
		s.File = name
	}
	return tree.Load(s)
}

func TestDefaults(t *testing.T) {
	for _, f := range []files{{}, {name: ""}, {name: "# nothing\n"}, {name: "---\n"}, {name: "auth:\nredis:\n  url:\n"}} {
		c, err := load(t, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		o := c.Serve
		if o.Listen != ":8080" || o.Path != "/socket.io/" || o.Recovery != 2*time.Minute || o.Auth != nil || o.MaxMessage != 1_000_000 {
			t.Errorf("%q: %+v", f[name], o)
		}
		if o.Drain != 0 || o.DrainDelay != 0 {
			t.Errorf("%q: a node that is alone drains over %v after %v", f[name], o.Drain, o.DrainDelay)
		}
		if c.Log != (config.Log{Format: "text", Level: "info"}) {
			t.Errorf("%q: log %+v", f[name], c.Log)
		}
	}
	c, err := load(t, files{name: "redis: {url: 'redis://localhost'}"}, nil)
	if err != nil || c.Serve.Drain != 30*time.Second || c.Serve.DrainDelay != 2*time.Second {
		t.Errorf("in a cluster: %+v %v", c, err)
	}
}

func TestTheLaterSourceCounts(t *testing.T) {
	f := files{name: "listen: file:1\nnode: file\nadvertise: http://file\npath: /file/\norigins: [https://file, https://file2]\ndrain: {over: 1s}\n"}
	environ := map[string]string{
		"BELFRY_NODE": "environment", "BELFRY_ADVERTISE": "http://environment", "BELFRY_PATH": "", "BELFRY_ORIGIN": "https://a,https://b",
		"BELFRY_LIMITS_MESSAGE": "64KiB", "BELFRY_AUTH_SECRET": strings.Repeat("s", 32),
	}
	c, err := load(t, f, environ, "--advertise", "http://flag", "--origin", "https://c", "--origin", "https://d,https://e", "--interest=false")
	if err != nil {
		t.Fatal(err)
	}
	o := c.Serve
	if o.Listen != "file:1" || o.Node != "environment" || o.Advertise != "http://flag" || o.Path != "/file/" || o.Drain != time.Second {
		t.Errorf("%+v", o)
	}
	if got := strings.Join(o.Origins, " "); got != "https://c https://d https://e" {
		t.Errorf("origins %s", got)
	}
	if o.MaxMessage != 64<<10 || o.Bus.Interest || len(o.Auth.Keys) != 1 {
		t.Errorf("%+v", o)
	}
}

const everything = `
redis: {url: "redis://localhost:6379"}
limits: {message: 2 MiB, rooms: -1}
auth:
  issuer: me
  audience: chat
  grants: &some
    join: ["chat:*", "inbox:{sub}"]
  keys:
    - {id: old, secret: "file:old"}
    - id: new
      secret: file:/secrets/new
  jwks:
    url: https://accounts.example.com/keys
    max_age: 1h
  api_keys:
    - {name: orders, key: "file:orders", grants: *some}
`

func TestAllOfTheFile(t *testing.T) {
	f := files{
		name: everything, "/etc/old": strings.Repeat("o", 32) + "\n", "/secrets/new": strings.Repeat("n", 32) + "\r\n",
		"/etc/orders": strings.Repeat("k", 32),
	}
	c, err := load(t, f, nil)
	if err != nil {
		t.Fatal(err)
	}
	a := c.Serve.Auth
	if a.Issuer != "me" || len(a.Audience) != 1 || a.JWKS.MaxAge != time.Hour || a.JWKS.Interval != 15*time.Minute || a.Hook != nil {
		t.Errorf("%+v", a)
	}
	if len(a.Keys) != 2 || a.Keys[0] != (auth.Key{ID: "old", Secret: strings.Repeat("o", 32)}) || a.Keys[1].Secret != strings.Repeat("n", 32) {
		t.Errorf("keys %+v", a.Keys)
	}
	if len(a.APIKeys) != 1 || a.APIKeys[0].Key != strings.Repeat("k", 32) || strings.Join(a.APIKeys[0].Grants.Join, " ") != "chat:* inbox:{sub}" {
		t.Errorf("API keys %+v", a.APIKeys)
	}
	if c.Serve.MaxMessage != 2<<20 || c.Serve.MaxRooms != -1 {
		t.Errorf("%+v", c.Serve)
	}
}

func TestAllFaultsAtOnce(t *testing.T) {
	f := files{name: strings.TrimPrefix(`
lisen: ":80"
drain:
  over: soon
  dealy: 1s
ping-interval: 3s
recovery: 5m
recovery: 6m
limits:
  message: 3 tons
  rooms: [1]
log: {level: loud}
heartbeat: fast
auth:
  secret: file:missing
  keys:
    secret: x
  hook:
    headers: {Authorization: [x]}
open: yes please
`, "\n")}
	_, err := load(t, f, map[string]string{"BELFRY_INTEREST": "perhaps"}, "--redis", "file:nowhere")
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	want := []string{
		`environment variable BELFRY_INTEREST is "perhaps": must be true or false`,
		`--redis cannot be read: nowhere: file does not exist`,
		`/etc/belfry.yaml:1:1: lisen is not a setting: did you mean listen?`,
		`/etc/belfry.yaml:3:9: drain.over is "soon": must be a duration like 500ms, 30s or 2h`,
		`/etc/belfry.yaml:4:3: drain.dealy is not a setting: did you mean drain.delay?`,
		`/etc/belfry.yaml:5:1: ping-interval is not a setting: did you mean heartbeat.interval?`,
		`/etc/belfry.yaml:7:1: recovery is there twice`,
		`/etc/belfry.yaml:9:12: limits.message is "3 tons": must be a size below 2 GiB like 64KiB, 1MB or 1000000`,
		`/etc/belfry.yaml:10:10: limits.rooms must be a single value`,
		`/etc/belfry.yaml:11:14: log.level is "loud": must be debug, info, warn or error`,
		`/etc/belfry.yaml:12:12: heartbeat must be a mapping of settings`,
		`/etc/belfry.yaml:14:11: auth.secret cannot be read: /etc/missing: file does not exist`,
		`/etc/belfry.yaml:16:5: auth.keys must be a list of at most 1000 items`,
		`/etc/belfry.yaml:18:5: auth.hook.url is missing: must be like https://`,
		`/etc/belfry.yaml:18:30: auth.hook.headers.Authorization must be a single value`,
		`/etc/belfry.yaml:19:7: open is "yes please": must be true or false`,
	}
	compare(t, faults, want)
}

// TestWhatPackagesRefuse has values that only the packages behind the settings can
// judge.
func TestWhatPackagesRefuse(t *testing.T) {
	f := files{name: strings.TrimPrefix(`
path: x
origins: ["%"]
recovery: -1s
open: true
redis: {url: s3cret}
auth:
  secret: s3cret
  keys:
    - public_key: s3cret
    - {secret: s3cret, id: a}
  grants: {join: ["{user}"]}
  jwks: {interval: 1m}
  hook: {url: "http://s3cret.example.com"}
  api_keys:
    - {name: a, key: s3cret}
    - {name: a, hash: s3cret, grants: {publish: [""]}}
`, "\n")}
	_, err := load(t, f, nil, "--ping-timeout", "-1s")
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Fatal(err)
	}
	want := []string{
		`--ping-timeout is -1s: must be between 0 and 168h0m0s`,
		`/etc/belfry.yaml:1:7: path is "x": must begin and end with a slash, with something between`,
		`/etc/belfry.yaml:2:10: origins is `,
		`/etc/belfry.yaml:3:11: recovery is -1s: must not be negative`,
		`/etc/belfry.yaml:4:7: open is true: must be false where clients are authenticated`,
		`/etc/belfry.yaml:5:14: redis.url is not redis://[user:password@]host:port[/db]`,
		`/etc/belfry.yaml:7:11: auth.secret has a secret of 6 bytes: at least 32 are needed`,
		`/etc/belfry.yaml:9:7: auth.keys[0] holds no PEM`,
		`/etc/belfry.yaml:10:7: auth.keys[1] has a secret of 6 bytes: at least 32 are needed`,
		`/etc/belfry.yaml:11:11: auth.grants is wrong: join: pattern "{user}": braces are only for {sub}`,
		`/etc/belfry.yaml:12:9: auth.jwks.url is missing: must be like https://accounts.example.com/keys`,
		`/etc/belfry.yaml:13:9: auth.hook is given together with keys for tokens: must be the one or the other`,
		`/etc/belfry.yaml:13:15: auth.hook.url is http://s3cret.example.com: must be https://, except on this machine`,
		`/etc/belfry.yaml:15:7: auth.api_keys[0] has a key of 6 characters: at least 32 are needed`,
		`/etc/belfry.yaml:16:7: auth.api_keys[1] has a hash that is not sha256: and 64 hexadecimal digits`,
		`/etc/belfry.yaml:16:14: auth.api_keys[1].name is "a": must be a name that no other key has`,
		`/etc/belfry.yaml:16:39: auth.api_keys[1].grants is wrong: publish: a pattern is empty`,
	}
	compare(t, faults, want)
}

// compare compares the beginnings.
func compare(t *testing.T, faults config.Faults, want []string) {
	t.Helper()
	for i, f := range faults {
		if i >= len(want) || !strings.HasPrefix(f.Error(), want[i]) {
			t.Errorf("fault %d is\n\t%s", i, f)
		}
	}
	if len(faults) != len(want) {
		t.Errorf("%d faults, want %d:\n\t%s", len(faults), len(want), strings.Join(want, "\n\t"))
	}
}

func TestFilesThatAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		"a: b: c":                       "/etc/belfry.yaml:1:5: not YAML: ",
		"listen: [":                     "/etc/belfry.yaml:",
		"listen: a\n\tpath: b":          "/etc/belfry.yaml:2:1: not YAML: ",
		"\xff":                          "/etc/belfry.yaml: not YAML: ",
		"listen: a\n---\nx: b":          "/etc/belfry.yaml:2:1: a second document",
		"- listen":                      "/etc/belfry.yaml:1:1: must be a mapping",
		"listen":                        "/etc/belfry.yaml:1:1: must be a mapping",
		"path: /x/\nauth: {issuer: me}": "/etc/belfry.yaml:2:7: auth knows nobody: must have keys",
		"? [a]\n: b":                    "/etc/belfry.yaml:1:3: has a key that is not a word",
		"auth: &a {grants: *a}":         "/etc/belfry.yaml:1:11: auth.grants.grants is not",
		strings.Repeat("#", 1<<20+1):    "/etc/belfry.yaml: has more than 1048576 bytes",
	} {
		if c, err := load(t, files{name: text}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30q: %+v %v, want %s", text, c, err, want)
		}
	}
	if _, err := config.New().Load(config.Sources{File: t.TempDir() + "/missing.yaml"}); err == nil || !strings.Contains(err.Error(), "missing.yaml: cannot be read: ") {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestFaultsAreBounded(t *testing.T) {
	_, err := load(t, files{name: "x: &l [" + strings.Repeat("1,", 5000) + "1]\nauth: {keys: [" + strings.Repeat("{x: 1},", 500) + "]}"}, nil)
	var faults config.Faults
	if !errors.As(err, &faults) || len(faults) > 100 {
		t.Errorf("%d faults", len(faults))
	}
}

func FuzzLoad(f *testing.F) {
	f.Add([]byte(everything))
	f.Add([]byte("a: &x [*x]"))
	f.Add([]byte("auth: {hook: {headers: {a: file:x}}}\n"))
	f.Add([]byte("<<: {listen: x}\n"))
	f.Add([]byte("listen: |\n  x\n---\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := load(t, files{name: string(text)}, nil)
		if (c == nil) == (err == nil) {
			t.Fatalf("%v %v", c, err)
		}
		if err == nil && c.Serve.Validate() != nil {
			t.Errorf("options that cannot work: %v", c.Serve.Validate())
		}
	})
}
