package client_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/client"
)

func secretOf(b []byte) string { return "whsec_" + base64.StdEncoding.EncodeToString(b) }

// signed returns the headers of a request as the specification has them made.
func signed(key []byte, id string, at time.Time, body string) http.Header {
	m := hmac.New(sha256.New, key)
	fmt.Fprintf(m, "%s.%d.%s", id, at.Unix(), body)
	h := http.Header{}
	h.Set("webhook-id", id)
	h.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
	h.Set("webhook-signature", "v1,"+base64.StdEncoding.EncodeToString(m.Sum(nil)))
	return h
}

func TestVerifyWebhook(t *testing.T) {
	key, other := make([]byte, 32), make([]byte, 32)
	_, _ = rand.Read(key)
	_, _ = rand.Read(other)
	const body = `{"type":"order","timestamp":"2026-01-02T03:04:05Z","data":{"id":"1","namespace":"/","args":[{"n":7}],"user":"ada","reply":true}}`
	now := time.Now()
	for name, test := range map[string]struct {
		change  func(http.Header)
		body    string
		at      time.Time
		secrets []string
		want    error
	}{
		"good":           {nil, body, now, []string{secretOf(key)}, nil},
		"without prefix": {nil, body, now, []string{strings.TrimPrefix(secretOf(key), "whsec_")}, nil},
		"one of two":     {nil, body, now, []string{secretOf(other), secretOf(key)}, nil},
		"another secret": {nil, body, now, []string{secretOf(other)}, client.ErrWebhookSignature},
		"no secret":      {nil, body, now, nil, client.ErrWebhookSignature},
		"no base64":      {nil, body, now, []string{"whsec_*"}, client.ErrWebhookSecret},
		"empty secret":   {nil, body, now, []string{""}, client.ErrWebhookSecret},
		"another body":   {nil, body + " ", now, []string{secretOf(key)}, client.ErrWebhookSignature},
		"old":            {nil, body, now.Add(-time.Hour), []string{secretOf(key)}, client.ErrWebhookTime},
		"new":            {nil, body, now.Add(time.Hour), []string{secretOf(key)}, client.ErrWebhookTime},
		"another time":   {func(h http.Header) { h.Set("webhook-timestamp", fmt.Sprint(now.Unix()+1)) }, body, now, []string{secretOf(key)}, client.ErrWebhookSignature},
		"no time":        {func(h http.Header) { h.Del("webhook-timestamp") }, body, now, []string{secretOf(key)}, client.ErrWebhookSignature},
		"no id":          {func(h http.Header) { h.Del("webhook-id") }, body, now, []string{secretOf(key)}, client.ErrWebhookSignature},
		"another id":     {func(h http.Header) { h.Set("webhook-id", "2") }, body, now, []string{secretOf(key)}, client.ErrWebhookSignature},
		"of another scheme": {func(h http.Header) {
			h.Set("webhook-signature", strings.Replace(h.Get("webhook-signature"), "v1,", "v1a,", 1))
		}, body, now, []string{secretOf(key)}, client.ErrWebhookSignature},
		"among others": {func(h http.Header) { h.Set("webhook-signature", "v1a,eA== v1,* v1,eA== "+h.Get("webhook-signature")) }, body, now, []string{secretOf(key)}, nil},
	} {
		h := signed(key, "1", test.at, body)
		if test.change != nil {
			test.change(h)
		}
		e, err := client.VerifyWebhook(h, []byte(test.body), 0, test.secrets...)
		if !errors.Is(err, test.want) || (err == nil) != (test.want == nil) {
			t.Errorf("%s: error is %v, want %v", name, err, test.want)
		}
		if err == nil && (e.Type != "order" || e.Data.User != "ada" || string(e.Data.Args) != `[{"n":7}]` || !e.Data.Reply) {
			t.Errorf("%s: event is %+v", name, e)
		}
	}
	if _, err := client.VerifyWebhook(signed(key, "1", now, "["), []byte("["), 0, secretOf(key)); err == nil {
		t.Error("what is no JSON was read")
	}
}

// FuzzVerifyWebhook: nothing from outside crashes it, or is taken for signed.
func FuzzVerifyWebhook(f *testing.F) {
	f.Add("1", "1700000000", "v1,eA==", []byte("{}"))
	f.Add("", "x", "v1", []byte("["))
	key := make([]byte, 32)
	_, _ = rand.Read(key)
	f.Fuzz(func(t *testing.T, id, at, signature string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {at}, "Webhook-Signature": {signature}}
		if _, err := client.VerifyWebhook(h, body, 0, secretOf(key)); err == nil {
			t.Error("it was taken for signed")
		}
	})
}
