package auth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/seed-09a96375/belfry/auth"
)

const secret = "a secret of these tests, 32 bytes and more"

// signer makes tokens, as somebody else's service does.
type signer struct {
	method jwt.SigningMethod
	id     string
	key    any // private, or the secret
}

var newRSA = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) }) // slow

func signerOf(t testing.TB, alg auth.Algorithm, id string) signer {
	t.Helper()
	var key any
	var err error
	switch alg {
	case auth.HS256:
		key = []byte(secret)
	case auth.RS256:
		key, err = newRSA()
	case auth.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case auth.EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signer{jwt.GetSigningMethod(string(alg)), id, key}
}

// token signs the claims; those that are usual are added.
func (s signer) token(t testing.TB, more jwt.MapClaims) string {
	t.Helper()
	c := jwt.MapClaims{"sub": "ada", "exp": time.Now().Add(time.Hour).Unix()}
	for k, v := range more {
		if c[k] = v; v == nil {
			delete(c, k)
		}
	}
	return s.sign(t, c, nil)
}

func (s signer) sign(t testing.TB, c jwt.Claims, header map[string]any) string {
	t.Helper()
	token := jwt.NewWithClaims(s.method, c)
	if s.id != "" {
		token.Header["kid"] = s.id
	}
	for k, v := range header {
		token.Header[k] = v
	}
	text, err := token.SignedString(s.key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func (s signer) public() crypto.PublicKey { return s.key.(crypto.Signer).Public() }

func (s signer) pem(t testing.TB) string {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(s.public())
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
}

// verify is the key that verifies the tokens.
func (s signer) verify(t testing.TB) auth.Key {
	t.Helper()
	if secret, ok := s.key.([]byte); ok {
		return auth.Key{ID: s.id, Secret: string(secret)}
	}
	return auth.Key{ID: s.id, PEM: s.pem(t)}
}

// jwk is the public key for a key set.
func (s signer) jwk(t testing.TB) map[string]any {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	m := map[string]any{"kid": s.id, "use": "sig"}
	switch k := s.public().(type) {
	case *rsa.PublicKey:
		m["kty"], m["n"], m["e"] = "RSA", b64(k.N.Bytes()), b64(big.NewInt(int64(k.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := k.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		m["kty"], m["crv"], m["x"], m["y"] = "EC", "P-256", b64(point[1:33]), b64(point[33:])
	case ed25519.PublicKey:
		m["kty"], m["crv"], m["x"] = "OKP", "Ed25519", b64(k)
	}
	return m
}

func newAuth(t testing.TB, o auth.Options) *auth.Authenticator {
	t.Helper()
	a, err := auth.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.Close)
	return a
}
