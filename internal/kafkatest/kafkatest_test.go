//go:build unix

package kafkatest

import (
	"crypto/tls"
	"os"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

var bed Bed

func TestMain(m *testing.M) {
	code := m.Run()
	bed.Close()
	os.Exit(code)
}

// TestRestart: what a broker has acknowledged is there after it was killed.
func TestRestart(t *testing.T) {
	b := bed.Broker(t)
	topic := b.Topic(t, 1)
	b.Produce(t, &kgo.Record{Topic: topic, Value: []byte("before")})
	b.Kill()
	if err := b.Run(); err != nil {
		t.Fatal(err, b.Log())
	}
	b.Produce(t, &kgo.Record{Topic: topic, Value: []byte("after")})
	got := b.Read(t, topic, 2)
	if string(got[0].Value) != "before" || string(got[1].Value) != "after" {
		t.Errorf("read %q, %q", got[0].Value, got[1].Value)
	}
}

// TestSecureLetsNobodyElseIn is why tests of passwords mean something.
func TestSecureLetsNobodyElseIn(t *testing.T) {
	b := bed.Broker(t)
	for password, want := range map[string]bool{b.Secure.Password: true, "another": false} {
		client := b.Client(t, kgo.SeedBrokers(b.Secure.Addr()),
			kgo.DialTLSConfig(&tls.Config{RootCAs: b.Secure.Roots, MinVersion: tls.VersionTLS12}),
			kgo.SASL(scram.Auth{User: b.Secure.User, Pass: password}.AsSha256Mechanism()))
		err := client.Ping(t.Context())
		if (err == nil) != want {
			t.Errorf("let in: %v, want %v: %v", err == nil, want, err)
		}
	}
}
