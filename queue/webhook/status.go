package webhook

import (
	"net/http"
	"strconv"
	"time"
)

// verdict is what a status means for the event.
type verdict uint8

const (
	delivered verdict = iota
	refused           // the receiver will never take it
	failed            // perhaps later
)

// verdictOf takes only those as a refusal that are about the event itself, or say
// that nothing is wanted any more. All else may be a mistake that somebody corrects:
// a wrong path (404), a wrong secret (401), a redirect.
func verdictOf(status int) verdict {
	switch {
	case status >= 200 && status < 300:
		return delivered
	case status == http.StatusBadRequest, status == http.StatusGone,
		status == http.StatusRequestEntityTooLarge, status == http.StatusUnprocessableEntity:
		return refused
	}
	return failed
}

// maxRetryAfter bounds what a receiver may ask for.
const maxRetryAfter = time.Hour

// retryAfter returns how long the receiver wants to be left alone (RFC 9110, section
// 10.2.3): seconds, or a date. 0: it does not say.
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := h.Get("Retry-After")
	if n, err := strconv.ParseUint(text, 10, 31); err == nil {
		return min(time.Duration(n)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(text)
	if err != nil || !at.After(now) {
		return 0
	}
	return min(at.Sub(now), maxRetryAfter)
}
