package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// jwk is a public key as JSON (RFC 7517, RFC 7518 section 6, RFC 8037). What names
// certificates elsewhere is not read: nothing is fetched for a key.
type jwk struct {
	Type       string   `json:"kty"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	ID         string   `json:"kid"`
	Curve      string   `json:"crv"`
	X          string   `json:"x"`
	Y          string   `json:"y"`
	N          string   `json:"n"`
	E          string   `json:"e"`
}

const maxSetKeys = 100

// parseKeySet reads a JWK Set. Keys that are not for signatures of the algorithms
// that are accepted are left out, as RFC 7517 section 5 says; skipped tells why.
func parseKeySet(text []byte) (keys []verifyKey, skipped []error, err error) {
	var set struct {
		Keys []jwk `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, nil, fmt.Errorf("read key set: %w", err)
	}
	if set.Keys == nil {
		return nil, nil, errors.New("read key set: it has no keys")
	}
	if len(set.Keys) > maxSetKeys {
		return nil, nil, fmt.Errorf("read key set: it has %d keys: at most %d are allowed", len(set.Keys), maxSetKeys)
	}
	for i, j := range set.Keys {
		k, err := j.parse()
		if err != nil {
			skipped = append(skipped, fmt.Errorf("key %d %w", i+1, err))
			continue
		}
		keys = append(keys, k)
	}
	return keys, skipped, nil
}

func (j jwk) parse() (verifyKey, error) {
	if j.Use != "" && j.Use != "sig" || j.Operations != nil && !slices.Contains(j.Operations, "verify") {
		return verifyKey{}, errors.New("is not for signatures")
	}
	key, err := j.public()
	if err != nil {
		return verifyKey{}, err
	}
	return verifyKey{id: j.ID, algorithm: Algorithm(j.Algorithm), key: key}.bind()
}

// public refuses secrets ("oct") like all else that is unknown: what anyone may
// fetch is no secret.
func (j jwk) public() (any, error) {
	switch {
	case j.Type == "RSA":
		return j.rsa()
	case j.Type == "EC" && j.Curve == "P-256":
		return j.ecdsa()
	case j.Type == "OKP" && j.Curve == "Ed25519":
		x, err := base64.RawURLEncoding.DecodeString(j.X)
		if err != nil || len(x) != ed25519.PublicKeySize {
			return nil, errors.New("has no Ed25519 key in x")
		}
		return ed25519.PublicKey(x), nil
	}
	return nil, fmt.Errorf("has type %q, curve %q", j.Type, j.Curve)
}

func (j jwk) rsa() (any, error) {
	n, errN := base64.RawURLEncoding.DecodeString(j.N)
	e, errE := base64.RawURLEncoding.DecodeString(j.E)
	if errN != nil || errE != nil || len(n) > maxRSABits/8 || len(e) == 0 || len(e) > 4 {
		return nil, errors.New("has no RSA key in n and e")
	}
	exponent := new(big.Int).SetBytes(e).Int64()
	if exponent < 3 || exponent%2 == 0 || exponent > 1<<31-1 {
		return nil, errors.New("has an RSA exponent that cannot be")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent)}, nil
}

func (j jwk) ecdsa() (any, error) {
	const size = 32
	x, errX := base64.RawURLEncoding.DecodeString(j.X)
	y, errY := base64.RawURLEncoding.DecodeString(j.Y)
	if errX != nil || errY != nil || len(x) != size || len(y) != size {
		return nil, errors.New("has no P-256 key in x and y")
	}
	point := append(append([]byte{4}, x...), y...) // uncompressed, SEC 1 section 2.3.3
	return ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
}
