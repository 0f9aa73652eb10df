package auth_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/auth"
)

func TestValidateNamesAllFaults(t *testing.T) {
	small, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(p384)
	if err != nil {
		t.Fatal(err)
	}
	ed := signerOf(t, auth.EdDSA, "a")
	o := auth.Options{
		Keys: []auth.Key{
			{},
			{Secret: "s3cret"},
			{Secret: secret, PEM: "x"},
			{PEM: "s3cret"},
			{PEM: signer{key: small}.pem(t)},
			{PEM: signer{key: p384}.pem(t)},
			{PEM: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}))},
			{PEM: ed.pem(t), Algorithm: auth.RS256},
			{Secret: secret, Algorithm: "HS512"},
			{ID: "a", PEM: ed.pem(t)},
			{ID: "a", PEM: ed.pem(t)},
		},
		JWKS:   &auth.JWKS{URL: "http://accounts.example.com/s3cret", Interval: -1, CA: "s3cret"},
		Hook:   &auth.Hook{URL: "s3cret", Timeout: -1, MaxConcurrent: -1, Headers: map[string]string{"a b": "s3cret"}, Forward: []string{""}},
		Grants: auth.Rules{Join: []string{"{"}},
		APIKeys: []auth.APIKey{
			{Name: "a", Key: "s3cret"}, {Name: "a", Hash: "sha256:00"}, {Key: strings.Repeat("k", 32), Grants: auth.Rules{Join: []string{""}}},
		},
	}
	err = o.Validate()
	for _, want := range []string{
		"Keys[0] needs either",
		"Keys[1] has a secret of 6 bytes",
		"Keys[2] needs either",
		"Keys[3] holds no PEM",
		"Keys[4] has an RSA key of 1024 bits",
		"Keys[5] has a key of another curve",
		"Keys[6] holds a private key",
		"Keys[7] has algorithm RS256, but its key is for EdDSA",
		`Keys[8] has algorithm "HS512"`,
		`Keys[10].ID is "a"`,
		"JWKS.URL is http://accounts.example.com: must be https://",
		"JWKS.Interval is -1ns", "JWKS.CA holds no certificate",
		"Hook.URL is no URL", "Hook.Timeout is", "Hook.MaxConcurrent is -1", `Hook.Headers is wrong: "a b"`, "Hook.Forward",
		"Hook is given together with keys",
		"Options.Grants is wrong: join: pattern",
		"APIKeys[0] has a key of 6 characters", "APIKeys[1].Name", "APIKeys[1] has a hash", "APIKeys[2].Name", "APIKeys[2].Grants is wrong: join",
	} {
		if err == nil || !strings.Contains(err.Error(), "auth: Options."+strings.TrimPrefix(want, "Options.")) {
			t.Errorf("not among the faults: %s", want)
		}
	}
	if err != nil && strings.Contains(err.Error(), "s3cret") {
		t.Errorf("a secret is in the error: %v", err)
	}
	if a, err := auth.New(o); err == nil {
		a.Close()
		t.Error("New accepts them")
	}
	if err := (auth.Options{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}

func TestKeyOfACertificate(t *testing.T) {
	s := signerOf(t, auth.RS256, "")
	key := s.key.(*rsa.PrivateKey)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "tokens"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, s.public(), key)
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range []pem.Block{
		{Type: "CERTIFICATE", Bytes: der},
		{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&key.PublicKey)},
	} {
		a := newAuth(t, auth.Options{Keys: []auth.Key{{PEM: string(pem.EncodeToMemory(&block))}}})
		if _, err := a.Client(t.Context(), auth.Credentials{Token: s.token(t, nil)}); err != nil {
			t.Errorf("%s: %v", block.Type, err)
		}
	}
}

func FuzzPEM(f *testing.F) {
	f.Add(signerOf(f, auth.EdDSA, "").pem(f))
	f.Add(signerOf(f, auth.ES256, "").pem(f))
	f.Add("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		o := auth.Options{Keys: []auth.Key{{PEM: text}}}
		if o.Validate() == nil {
			newAuth(t, o)
		}
	})
}
