package packet

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
)

const (
	tokenRandom = 15                  // bytes; a multiple of 3, so that
	tokenPrefix = tokenRandom / 3 * 4 // this many characters are the same for all
	tokenBytes  = tokenRandom + 3     // with the index
	tokenText   = tokenPrefix + 4     // as base64
	maxTokens   = 1<<24 - 1           // what the index has room for
)

// tokens are byte strings that stand in for attachments while encoding/json is
// at work. It writes and reads them as base64, like any slice of bytes. They are
// different each time, so that no data from outside can be taken for one.
type tokens struct {
	random [tokenRandom]byte
	prefix [tokenPrefix]byte // random as base64
}

func newTokens() *tokens {
	t := new(tokens)
	rand.Read(t.random[:]) // never fails, by its contract
	base64.StdEncoding.Encode(t.prefix[:], t.random[:])
	return t
}

// bytes returns token i.
func (t *tokens) bytes(i int) []byte {
	return append(t.random[:tokenRandom:tokenRandom], byte(i>>16), byte(i>>8), byte(i))
}

// appendText appends token i as base64.
func (t *tokens) appendText(dst []byte, i int) []byte {
	return base64.StdEncoding.AppendEncode(dst, t.bytes(i))
}

// ofBytes returns which token b is, -1 if it is none.
func (t *tokens) ofBytes(b []byte) int {
	if len(b) != tokenBytes || !bytes.HasPrefix(b, t.random[:]) {
		return -1
	}
	return int(b[tokenRandom])<<16 | int(b[tokenRandom+1])<<8 | int(b[tokenRandom+2])
}

// ofText is ofBytes for base64.
func (t *tokens) ofText(text []byte) int {
	if len(text) != tokenText || !bytes.HasPrefix(text, t.prefix[:]) {
		return -1
	}
	var b [tokenBytes]byte
	if n, err := base64.StdEncoding.Decode(b[:], text); err != nil || n != tokenBytes {
		return -1
	}
	return t.ofBytes(b[:])
}

// appendReplaced appends text with every quoted token replaced by what with
// appends for it.
func (t *tokens) appendReplaced(dst, text []byte, with func(dst []byte, i int) []byte) []byte {
	for {
		n := bytes.Index(text, t.prefix[:])
		if n <= 0 || len(text) <= n+tokenText || text[n-1] != '"' {
			return append(dst, text...)
		}
		dst = append(dst, text[:n-1]...)
		dst = with(dst, t.ofText(text[n:n+tokenText]))
		text = text[n+tokenText+1:]
	}
}
