//go:build unix

package main_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/bus/redis/redistest"
)

// TestRedisOverTLS: with a user of its own, and certificates of their own on both
// sides. Who does not trust that of Redis is told what is wrong.
func TestRedisOverTLS(t *testing.T) {
	certificate, key := newCertificate(t)
	port := redistest.FreePort(t)
	r := redistest.Start(t, "--tls-port", port, "--tls-auth-clients", "yes",
		"--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate)
	r.Must("ACL", "SETUSER", "belfry", "on", ">s3cret", "~belfry:*", "&belfry:*", "+@all")
	url := "rediss://belfry:s3cret@127.0.0.1:" + port

	wary := launch(t, "serve", "--listen", "127.0.0.1:0", "--redis", url)
	wary.waitFor("error: no connection to rediss://127.0.0.1:" + port)
	wary.waitFor("hint: is this a port for TLS, with a certificate that this machine or --redis-ca trusts")
	if got := wary.exit(); got != "exit status 1" {
		t.Errorf("ended with %s", got)
	}

	args := []string{"--open", "--redis", url, "--redis-ca", certificate, "--redis-cert", certificate, "--redis-key", key}
	reach(t, serve(t, args...), serve(t, args...))
}

// TestSentinel: nodes go on when Sentinel makes another Redis the master.
func TestSentinel(t *testing.T) {
	master, replica := redistest.Start(t, "--repl-diskless-sync-delay", "0"), redistest.Start(t)
	replica.ReplicaOf(master.Addr())
	url := redistest.StartSentinel(t, "mymaster", master).URL() + "?master_set=mymaster"
	one, two := serve(t, "--redis", url, "--open"), serve(t, "--redis", url, "--open")
	reach(t, one, two)
	replica.AwaitCaughtUp(master)
	master.Kill()
	red := make(map[*process]bool) // both at one time or another
	eventually(t, "both nodes are not ready", func() bool {
		for _, p := range []*process{one, two} {
			if h, err := p.ready(); err == nil && !h.Ready {
				red[p] = true
			}
		}
		return len(red) == 2
	})
	one.waitReady(true, "")
	two.waitReady(true, "")
	reach(t, one, two)
}

// reach publishes on one node for a client of the other.
func reach(t *testing.T, here, there *process) {
	t.Helper()
	reader, writer := join(t, here.url, "room"), join(t, there.url, "elsewhere")
	if ack, err := writer.ask(within(t), "publish", "room", "news", 7); err != nil || ack != "[]" {
		t.Fatalf("publish is answered with %s %v", ack, err)
	}
	if e, err := reader.next(within(t)); err != nil || e.name != "news" {
		t.Fatalf("got %s %s %v", e.name, e.args, err)
	}
}

// newCertificate makes a certificate for the loopback address that is its own
// authority.
func newCertificate(t *testing.T) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(folder, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("certificate.pem", "CERTIFICATE", public), write("key.pem", "PRIVATE KEY", secret)
}
