package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
)

// Algorithm is how a token is signed (RFC 7518, RFC 8037).
type Algorithm string

// The algorithms that are accepted.
const (
	HS256 Algorithm = "HS256" // a secret that both sides know
	RS256 Algorithm = "RS256"
	ES256 Algorithm = "ES256"
	EdDSA Algorithm = "EdDSA"
)

var algorithms = []Algorithm{HS256, RS256, ES256, EdDSA} // never changed

// Key verifies tokens of one algorithm, whatever the tokens say. Exactly one of
// Secret and PEM is given.
type Key struct {
	// ID is the "kid" of the tokens that this key is for. Empty: any.
	ID string
	// Algorithm that goes with the key. Default: HS256 for a secret, else what the
	// type of the key says.
	Algorithm Algorithm
	// Secret for HS256, 32 bytes or more (RFC 7518 section 3.2).
	Secret string
	// PEM is a public key or a certificate.
	PEM string
}

// verifyKey is a key with the one algorithm that it is for.
type verifyKey struct {
	id        string
	algorithm Algorithm
	key       any
}

const (
	minSecret  = 32   // bytes
	minRSABits = 2048 // RFC 7518 section 3.3
	maxRSABits = 8192 // more only costs time
)

func (k Key) parse() (verifyKey, error) {
	v := verifyKey{id: k.ID, algorithm: k.Algorithm}
	var err error
	switch {
	case (k.Secret == "") == (k.PEM == ""):
		return v, errors.New("needs either a secret or a public key")
	case k.Secret != "":
		v.key, err = []byte(k.Secret), secretFault(k.Secret)
	default:
		v.key, err = parsePEM(k.PEM)
	}
	if err != nil {
		return v, err
	}
	return v.bind()
}

func secretFault(secret string) error {
	if len(secret) < minSecret {
		return fmt.Errorf("has a secret of %d bytes: at least %d are needed", len(secret), minSecret)
	}
	return nil
}

// bind gives the key its algorithm, or says that the two do not fit.
func (v verifyKey) bind() (verifyKey, error) {
	own, err := algorithmOf(v.key)
	if err != nil {
		return v, err
	}
	if v.algorithm == "" {
		v.algorithm = own
	}
	if !slices.Contains(algorithms, v.algorithm) {
		return v, fmt.Errorf("has algorithm %q: must be one of %v", v.algorithm, algorithms)
	}
	if v.algorithm != own {
		return v, fmt.Errorf("has algorithm %s, but its key is for %s", v.algorithm, own)
	}
	return v, nil
}

func algorithmOf(key any) (Algorithm, error) {
	switch k := key.(type) {
	case []byte:
		return HS256, nil
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < minRSABits || bits > maxRSABits {
			return "", fmt.Errorf("has an RSA key of %d bits: must have %d to %d", bits, minRSABits, maxRSABits)
		}
		return RS256, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return "", errors.New("has a key of another curve than P-256")
		}
		return ES256, nil
	case ed25519.PublicKey:
		return EdDSA, nil
	}
	return "", errors.New("has a key of a kind that is not known")
}

// parsePEM reads a public key, or that of a certificate.
func parsePEM(text string) (any, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("holds no PEM")
	}
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return c.PublicKey, nil
	case "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
		return nil, errors.New("holds a private key, which belongs to who signs: give the public one")
	}
	return nil, fmt.Errorf("holds PEM of the type %q: must be a public key or a certificate", block.Type)
}
