package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a request, those of Standard Webhooks 1.0.0: see
// https://www.standardwebhooks.com.
const (
	headID        = "Webhook-Id"
	headTime      = "Webhook-Timestamp"
	headSignature = "Webhook-Signature"
	headTry       = "Belfry-Try" // from 1
)

const (
	secretPrefix = "whsec_"
	minKey       = 24 // bytes
	maxKey       = 64
)

// key reads a secret. The error does not show it.
func key(secret string) ([]byte, error) {
	b, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
	if err != nil || len(b) < minKey || len(b) > maxKey {
		return nil, errors.New("must be base64 of 24 to 64 bytes: make one with openssl rand -base64 32")
	}
	return b, nil
}

// messageID is how a request names its event, the same in every try. The event's ID
// may hold what a client has chosen. A dot in it could move the place where the
// receiver sees the time or the body begin; then, and if it is not for a header, its
// hash stands for it.
func messageID(id string) string {
	for _, c := range []byte(id) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && strings.IndexByte("_-:/", c) < 0 {
			sum := sha256.Sum256([]byte(id))
			return "sha256-" + base64.RawURLEncoding.EncodeToString(sum[:])
		}
	}
	return id
}

// sign sets the headers that let the receiver verify a request.
func sign(h http.Header, keys [][]byte, id string, at time.Time, body []byte) {
	seconds := strconv.FormatInt(at.Unix(), 10)
	var all []string
	for _, k := range keys {
		m := hmac.New(sha256.New, k)
		m.Write([]byte(id + "." + seconds + "."))
		m.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	}
	h.Set(headID, id)
	h.Set(headTime, seconds)
	h.Set(headSignature, strings.Join(all, " "))
}
