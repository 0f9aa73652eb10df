package config_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/seed-09a96375/belfry/internal/config"
)

func TestGeneratedFilesAreUpToDate(t *testing.T) {
	for name, write := range map[string]func(io.Writer) error{
		"../../docs/configuration.md": config.WriteReference,
		"../../deploy/belfry.yaml":    config.WriteSample,
	} {
		var want bytes.Buffer
		if err := write(&want); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is not what the tree says: run make gen (%v)", name, err)
		}
	}
}

// TestSampleAsItIs: all is off, and that is right.
func TestSampleAsItIs(t *testing.T) {
	if _, err := load(t, files{name: sampleText(t)}, nil); err != nil {
		t.Error(err)
	}
}

func sampleText(t *testing.T) string {
	t.Helper()
	var b bytes.Buffer
	if err := config.WriteSample(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// variants are what of the sample does not go with something else of it. What is left
// is right, and each setting is in one of them.
var variants = map[string][]string{
	"tokens, PostgreSQL, webhooks, streams": {
		"open", "auth.hook", "archive.sqlite", "routes.queue", "sources.redis_channel", "sources.kafka_topic", "sources.all",
		"sources.dead_topic", "sources.lanes",
		"messages.skip",
	},
	"a service for tokens, SQLite, queues, topics": {
		"open", "auth.secret", "auth.keys", "auth.jwks", "auth.issuer", "auth.audience", "auth.leeway", "auth.claim", "archive.postgres",
		"routes.webhook", "sources.redis_channel", "sources.redis_stream", "sources.field", "sources.rooms", "sources.users",
		"sources.key_field", "sources.dead", "archive.schema", "archive.table",
		"messages.skip",
	},
	"open, channels": {
		"auth", "archive.sqlite", "routes.queue", "sources.redis_stream", "sources.kafka_topic", "sources.field", "sources.new", "sources.all",
		"sources.key_field", "sources.dead_topic", "sources.lanes",
		"messages.kafka_topic", "messages.queue", "messages.archive", "messages.key",
	},
} // never changed

// TestSampleIsRight loads the sample with its settings on.
func TestSampleIsRight(t *testing.T) {
	text, certificate, key := sampleText(t), certificatePEM(t), publicPEM(t)
	secret := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("s", 32)))
	f := files{"/etc/belfry/ca.pem": certificate, "/etc/belfry/tokens.pem": key}
	for _, name := range []string{"tokens", "hook", "orders", "billing", "billing-token"} {
		f["/run/secrets/"+name] = secret
	}
	on := make(map[string]bool)
	for variant, without := range variants {
		f[name] = switchOn(text, without, on)
		if _, err := load(t, f, nil); err != nil {
			t.Errorf("%s: %v\n%s", variant, err, f[name])
		}
	}
	for path := range settingsOf(text) {
		if !on[path] {
			t.Errorf("%s is in no variant", path)
		}
	}
}

// TestWrongSamplesAreFound is the control: each of these lines makes the sample wrong.
func TestWrongSamplesAreFound(t *testing.T) {
	text := sampleText(t)
	for right, wrong := range map[string]string{
		`#rooms: ["{payload.topic#/topic/}"]`: `#rooms: ["{args.0}"]`, `#backoff: 1s`: `#backoff: 1h`, `#key: "{user}"`: `#key: "{usr}"`,
	} {
		if !strings.Contains(text, right) {
			t.Fatalf("the sample lacks %s", right)
		}
		f := files{"/etc/belfry/ca.pem": certificatePEM(t), "/run/secrets/billing": base64.StdEncoding.EncodeToString(make([]byte, 32)), "/run/secrets/billing-token": "x"}
		f[name] = switchOn(strings.Replace(text, right, wrong, 1), variants["open, channels"], make(map[string]bool))
		if _, err := load(t, f, nil); err == nil {
			t.Errorf("%s in place of %s is accepted", wrong, right)
		}
	}
}

// settingsOf returns the paths of what can be switched on.
func settingsOf(text string) map[string]bool {
	all := make(map[string]bool)
	switchOn(text, nil, all)
	return all
}

var off = regexp.MustCompile(`^( *)#(\S[^:]*)(:?.*)$`)

// switchOn removes the marks before settings, but for those of the paths without and
// below them. It notes the paths of those that it switches on.
func switchOn(text string, without []string, on map[string]bool) string {
	var b strings.Builder
	var parents []string // by half of their indent
	for line := range strings.Lines(text) {
		m := off.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil {
			b.WriteString(line)
			continue
		}
		depth := len(m[1]) / 2
		for len(parents) <= depth {
			parents = append(parents, "")
		}
		parents = parents[:depth+1]
		if parents[depth] = m[2]; m[2] == "-" {
			parents[depth] = ""
		}
		path := strings.Join(slices.DeleteFunc(slices.Clone(parents), func(p string) bool { return p == "" }), ".")
		if slices.ContainsFunc(without, func(w string) bool { return path == w || strings.HasPrefix(path, w+".") }) {
			continue
		}
		on[path] = true
		b.WriteString(m[1] + m[2] + m[3] + "\n")
	}
	return b.String()
}

// certificatePEM is that of a server of this machine.
func certificatePEM(t *testing.T) string {
	t.Helper()
	srv := httptest.NewTLSServer(nil)
	defer srv.Close()
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}))
}

func publicPEM(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}
