package client

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// WebhookEvent is the body of a webhook's request: an event of a client.
type WebhookEvent struct {
	Type      string    `json:"type"`      // the event's name
	Timestamp time.Time `json:"timestamp"` // when the client had sent it
	Data      struct {
		ID        string          `json:"id"` // the same in every try
		Namespace string          `json:"namespace"`
		Args      json.RawMessage `json:"args"` // an array
		Socket    string          `json:"socket"`
		User      string          `json:"user"` // empty: not named
		Key       string          `json:"key"`
		Node      string          `json:"node"`
		// Reply says that the client waits for the body of the answer: an array of
		// arguments, or a single one.
		Reply bool `json:"reply"`
	} `json:"data"`
}

// DefaultTolerance is how far the clocks of Belfry and of a receiver may be apart.
const DefaultTolerance = 5 * time.Minute

// What VerifyWebhook finds.
var (
	// ErrWebhookSecret: a secret is not base64, with "whsec_" in front or not.
	ErrWebhookSecret = errors.New("a secret is not base64")
	// ErrWebhookSignature: no signature is of one of the secrets.
	ErrWebhookSignature = errors.New("the request is not signed with one of the secrets")
	// ErrWebhookTime: the request is too old or too new, perhaps an old one that
	// somebody sends again.
	ErrWebhookTime = errors.New("the time of the request is not now")
)

// VerifyWebhook reads a request of a webhook: h and body are those of the request,
// body as it came, to the byte. It accepts the signature of any of the secrets, for
// the time in which one takes the place of another. tolerance 0 is DefaultTolerance.
//
// A request that is repeated within the tolerance is accepted: remember Data.ID to do
// its work once.
//
// The scheme is that of Standard Webhooks 1.0.0, so that its libraries verify the
// requests, too.
func VerifyWebhook(h http.Header, body []byte, tolerance time.Duration, secrets ...string) (*WebhookEvent, error) {
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	id, at := h.Get("Webhook-Id"), h.Get("Webhook-Timestamp")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if err != nil || id == "" {
		return nil, ErrWebhookSignature
	}
	signed := false
	for _, s := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s, "whsec_"))
		if err != nil || len(key) == 0 {
			return nil, ErrWebhookSecret
		}
		m := hmac.New(sha256.New, key)
		m.Write([]byte(id + "." + at + "."))
		m.Write(body)
		signed = hasSignature(h.Get("Webhook-Signature"), m.Sum(nil)) || signed
	}
	if !signed {
		return nil, ErrWebhookSignature
	}
	if apart := time.Since(time.Unix(seconds, 0)).Abs(); apart > tolerance {
		return nil, fmt.Errorf("%w: it is %v apart", ErrWebhookTime, apart.Truncate(time.Second))
	}
	var e WebhookEvent
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, fmt.Errorf("read the event: %w", err)
	}
	return &e, nil
}

// hasSignature looks through a list like "v1,base64 v1,base64", in constant time for
// each.
func hasSignature(list string, want []byte) bool {
	for one := range strings.FieldsSeq(list) {
		text, ok := strings.CutPrefix(one, "v1,")
		if !ok {
			continue // of another scheme
		}
		got, err := base64.StdEncoding.DecodeString(text)
		if err == nil && hmac.Equal(got, want) {
			return true
		}
	}
	return false
}
