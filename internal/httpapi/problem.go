package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
)

// Code says what kind of fault a problem is. Its text is part of the protocol, as are
// those of auth.Code.
type Code string

const (
	Malformed        Code = "malformed"              // the body is not JSON
	Invalid          Code = "invalid"                // errors has what is wrong
	TooLarge         Code = "too_large"              // the body
	UnsupportedMedia Code = "unsupported_media_type" // the body is said to be something else
	NotFound         Code = "not_found"
	MethodNotAllowed Code = "method_not_allowed"
	Answered         Code = "answered"      // the event has an answer already
	NotSupported     Code = "not_supported" // this node is set up without it
	Unavailable      Code = "unavailable"   // nothing was accepted: try again later
	InDoubt          Code = "in_doubt"      // it may have been accepted
	Incomplete       Code = "incomplete"    // some nodes did not answer
	Internal         Code = "internal"
)

// statuses are those of all codes; never changed.
var statuses = map[Code]int{
	Malformed:              http.StatusBadRequest,
	Invalid:                http.StatusBadRequest,
	Code(auth.Missing):     http.StatusUnauthorized,
	Code(auth.Invalid):     http.StatusUnauthorized,
	Code(auth.Expired):     http.StatusUnauthorized,
	Code(auth.Forbidden):   http.StatusForbidden,
	Code(auth.Unavailable): http.StatusServiceUnavailable,
	NotFound:               http.StatusNotFound,
	MethodNotAllowed:       http.StatusMethodNotAllowed,
	Answered:               http.StatusConflict,
	TooLarge:               http.StatusRequestEntityTooLarge,
	UnsupportedMedia:       http.StatusUnsupportedMediaType,
	Internal:               http.StatusInternalServerError,
	NotSupported:           http.StatusNotImplemented,
	Unavailable:            http.StatusServiceUnavailable,
	InDoubt:                http.StatusServiceUnavailable,
	Incomplete:             http.StatusServiceUnavailable,
}

// codeNames is in the order in which docs and schema list them.
func codeNames() []Code {
	return []Code{
		Malformed, Invalid, Code(auth.Missing), Code(auth.Invalid), Code(auth.Expired), Code(auth.Forbidden), NotFound,
		MethodNotAllowed, Answered, TooLarge, UnsupportedMedia, Internal, NotSupported, Unavailable, InDoubt, Incomplete,
		Code(auth.Unavailable),
	}
}

// Fault is one thing that is wrong with a request.
type Fault struct {
	Field     string `json:"field,omitempty"`     // JSON pointer into the body (RFC 6901)
	Parameter string `json:"parameter,omitempty"` // of path or query
	Detail    string `json:"detail"`
}

// problem is an error as clients get it: application/problem+json (RFC 9457). Its
// type is about:blank, so that title is that of the status.
type problem struct {
	Title   string            `json:"title"`
	Status  int               `json:"status"`
	Code    Code              `json:"code"`
	Detail  string            `json:"detail"`
	Errors  []Fault           `json:"errors,omitempty"`
	Missing []belfry.NodeID   `json:"missing,omitempty"`
	Failed  []string          `json:"failed,omitempty"`
	Results []json.RawMessage `json:"results,omitempty"`

	cause error    // for the log; nil: none
	allow []string // methods, with MethodNotAllowed
}

func (p *problem) Error() string { return string(p.Code) + ": " + p.Detail }

func newProblem(code Code, format string, args ...any) *problem {
	status := statuses[code]
	return &problem{Title: http.StatusText(status), Status: status, Code: code, Detail: fmt.Sprintf(format, args...)}
}

// faulty is the problem of a request with these faults.
func faulty(code Code, faults []Fault, more int) *problem {
	first := faults[0]
	where := first.Field
	if first.Parameter != "" {
		where = "parameter " + first.Parameter
	}
	if where == "" {
		where = "the body"
	}
	p := newProblem(code, "%s %s", where, first.Detail)
	if n := len(faults) + more - 1; n > 0 {
		p.Detail += fmt.Sprintf(", and %d more: see errors", n)
	}
	p.Errors = faults
	return p
}

// explain makes a problem of any error.
func explain(err error) *problem {
	var known *problem
	var refused *auth.Error
	var partial *hub.Incomplete
	var coded interface {
		error
		ErrorCode() string
	}
	switch {
	case errors.As(err, &known):
		return known
	case errors.As(err, &refused):
		return newProblem(Code(refused.Code), "%s: %s", refused.Message, authHint(refused.Code))
	case errors.As(err, &partial):
		p := newProblem(Incomplete, "some nodes did not answer, or could not: see missing and failed. It is safe to repeat")
		p.Missing, p.Failed = partial.Missing, partial.Failed
		return p
	case errors.As(err, &coded) && statuses[Code(coded.ErrorCode())] != 0: // of what a rule keeps
		return newProblem(Code(coded.ErrorCode()), "%s", strings.TrimPrefix(coded.Error(), coded.ErrorCode()+": "))
	case errors.Is(err, belfry.ErrInDoubt), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		return newProblem(InDoubt, "the cluster may have accepted it, or not: repeat it with the same id, and it is published once; without an id it may come twice")
	case errors.Is(err, belfry.ErrUnavailable):
		return newProblem(Unavailable, "the cluster cannot be reached now, nothing was accepted: try again")
	case errors.Is(err, belfry.ErrClosed):
		return newProblem(Unavailable, "this node is stopping, nothing was accepted: try again, at another node")
	case errors.Is(err, hub.ErrNoPresence):
		return newProblem(NotSupported, "the bus of this node knows no presence")
	case errors.Is(err, belfry.ErrAnswered):
		return newProblem(Answered, "the event has an answer already: the first one counts")
	}
	p := newProblem(Internal, "something went wrong here: the log of the node says more")
	p.cause = err
	return p
}

func authHint(code auth.Code) string {
	switch code {
	case auth.Missing:
		return `send "Authorization: Bearer KEY", with an API key of the configuration's auth.api_keys or a token whose grants have "api"`
	case auth.Expired:
		return "get a fresh token"
	case auth.Forbidden:
		return `a token needs "api":true among its grants`
	case auth.Unavailable:
		return "try again"
	}
	return "see auth.api_keys of the configuration"
}

// retryAfter is what a client should wait, seconds, when it can do nothing better.
const retryAfter = "1"

// write sends the problem.
func (p *problem) write(w http.ResponseWriter) {
	h := w.Header()
	switch p.Status {
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", challenge(p.Code))
	case http.StatusServiceUnavailable:
		h.Set("Retry-After", retryAfter)
	}
	for _, m := range p.allow {
		h.Add("Allow", m)
	}
	h.Set("Content-Type", "application/problem+json")
	body, err := marshal(p)
	if err != nil { // no field can cause it
		body = []byte("{}")
	}
	send(w, p.Status, body)
}

// challenge is that of RFC 6750 section 3.
func challenge(code Code) string {
	if code == Code(auth.Missing) {
		return `Bearer realm="belfry"`
	}
	return `Bearer realm="belfry", error="invalid_token"`
}
