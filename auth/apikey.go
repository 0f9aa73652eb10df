package auth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// APIKey lets a backend in. Exactly one of Key and Hash is given. Keys have to be
// random, 32 characters or more: a fast hash protects nothing less.
type APIKey struct {
	// Name of the backend, for the log. No other key has it.
	Name string
	// Key itself. Only its hash is kept.
	Key string
	// Hash is "sha256:" and the key's SHA-256, in hexadecimal.
	Hash string
	// Grants of the backend. The zero value is all rooms, "api", and so "metrics".
	Grants Rules
}

const (
	minKey     = 32 // characters
	hashPrefix = "sha256:"
)

var everything = Rules{Join: []string{"*"}, Publish: []string{"*"}, Presence: []string{"*"}, History: []string{"*"}, API: true} // never changed

func (k APIKey) sum() (sum [sha256.Size]byte, err error) {
	switch {
	case (k.Key == "") == (k.Hash == ""):
		return sum, errors.New("needs either a key or a hash")
	case k.Key != "" && len(k.Key) < minKey:
		return sum, fmt.Errorf("has a key of %d characters: at least %d are needed", len(k.Key), minKey)
	case k.Key != "":
		return sha256.Sum256([]byte(k.Key)), nil
	}
	text, ok := strings.CutPrefix(k.Hash, hashPrefix)
	raw, err := hex.DecodeString(text)
	if !ok || err != nil || len(raw) != len(sum) {
		return sum, fmt.Errorf("has a hash that is not %s and 64 hexadecimal digits", hashPrefix)
	}
	return [sha256.Size]byte(raw), nil
}

func (f *faults) apiKeys(keys []APIKey) {
	names := make(map[string]bool)
	for i, k := range keys {
		field := fmt.Sprintf("APIKeys[%d]", i)
		if k.Name == "" || names[k.Name] {
			f.add(field+".Name", "is %q: must be a name that no other key has", k.Name)
		}
		names[k.Name] = true
		if _, err := k.sum(); err != nil {
			f.add(field, "%v", err)
		}
		if err := k.Grants.Validate(); err != nil {
			f.add(field+".Grants", "is wrong: %s", strings.TrimPrefix(err.Error(), "grants: "))
		}
	}
}

// apiKeys are known by their hashes alone.
type apiKeys []apiKey

type apiKey struct {
	sum      [sha256.Size]byte
	identity *Identity
}

func newAPIKeys(keys []APIKey) (apiKeys, error) {
	var all apiKeys
	for _, k := range keys {
		sum, err := k.sum()
		if err != nil {
			return nil, fmt.Errorf("API key %q %w", k.Name, err)
		}
		if k.Grants.isZero() {
			k.Grants = everything
		}
		grants, err := k.Grants.For(k.Name)
		if err != nil {
			return nil, err
		}
		all = append(all, apiKey{sum, &Identity{User: k.Name, Grants: grants}})
	}
	return all, nil
}

// find takes the same time whichever key it is, if any.
func (a apiKeys) find(key string) *Identity {
	sum := sha256.Sum256([]byte(key))
	var found *Identity
	for i := range a {
		if subtle.ConstantTimeCompare(a[i].sum[:], sum[:]) == 1 {
			found = a[i].identity
		}
	}
	return found
}
