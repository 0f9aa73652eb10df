package cli

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/spf13/cobra"
)

// emission is the body of POST /api/publish.
type emission struct {
	Namespace string            `json:"namespace,omitempty"`
	Rooms     []string          `json:"rooms,omitempty"`
	Except    []string          `json:"except,omitempty"`
	User      string            `json:"user,omitempty"`
	Event     string            `json:"event"`
	Args      []json.RawMessage `json:"args,omitempty"`
	ID        string            `json:"id"`
	Ephemeral bool              `json:"ephemeral,omitempty"`
}

func emitCommand() *cobra.Command {
	var (
		e      emission
		flags  remoteFlags
		text   bool
		within time.Duration
	)
	cmd := &cobra.Command{
		Use:   "emit EVENT [ARG]...",
		Short: "Send an event to clients",
		Long: `Send an event to clients, through the HTTP API of a node. An ARG is JSON, or else
text. It is sent to the members of all --room, to the sessions of --user, or, without
both, to everybody.

It ends once the cluster has accepted the event, and prints what the API answers.
Where that is not known it tries again with the same --id, so that nothing is sent
twice.`,
		Example: `  belfry emit news '{"title":"Hello"}' --room chat
  belfry emit reminder "in five minutes" --user ada
  BELFRY_API_KEY=file:/run/secrets/key belfry emit ping --url https://rt.example.com`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError(cmd, errors.New("which event? give its name"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			node, err := flags.node(cmd, "BELFRY_API_KEY")
			if err != nil {
				return err
			}
			if within <= 0 {
				return usageError(cmd, fmt.Errorf("--within is %v: must be more than 0", within))
			}
			e.Event, e.Args = args[0], arguments(args[1:], text)
			if e.ID == "" {
				e.ID = rand.Text()
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), within)
			defer cancel()
			answer, err := node.emit(ctx, &e)
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(append(bytes.TrimSpace(answer), '\n'))
			return err
		},
	}
	f := cmd.Flags()
	flags.add(f, "key", "API `key`, or a token whose grants have \"api\"; file:NAME reads it from a file (default BELFRY_API_KEY)")
	f.StringArrayVar(&e.Rooms, "room", nil, "`room` whose members get it; repeat it for more")
	f.StringArrayVar(&e.Except, "except", nil, "`room` whose members do not get it; repeat it for more")
	f.StringVar(&e.User, "user", "", "`user` whose sessions get it")
	f.StringVar(&e.ID, "id", "", "`id` of the message: of several with one id only the first is sent (default: a new one)")
	f.StringVar(&e.Namespace, "namespace", "", "`namespace` (default /)")
	f.BoolVar(&e.Ephemeral, "ephemeral", false, "do not keep it for clients that are away")
	f.BoolVar(&text, "text", false, "take each ARG as text, also what looks like JSON")
	f.DurationVar(&within, "within", 10*time.Second, "`time` after which it gives up")
	return cmd
}

// arguments takes what is not JSON for text.
func arguments(args []string, text bool) []json.RawMessage {
	all := make([]json.RawMessage, len(args))
	for i, a := range args {
		if raw := []byte(a); !text && json.Valid(raw) {
			all[i] = raw
			continue
		}
		all[i], _ = json.Marshal(a) // a string has no cause for an error
	}
	return all
}

// emit tries until the cluster has accepted it, the API refuses it, or ctx ends.
func (r *remote) emit(ctx context.Context, e *emission) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var pause backOff
	for {
		answer, again, err := r.post(ctx, body)
		if err == nil || !again {
			return answer, err
		}
		if !pause.wait(ctx) {
			return nil, err
		}
	}
}

// post makes one try; again says that another one may do better.
func (r *remote) post(ctx context.Context, body []byte) (answer []byte, again bool, err error) {
	q, err := r.request(ctx, http.MethodPost, "/api/publish", bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	q.Header.Set("Content-Type", "application/json")
	got, err := http.DefaultClient.Do(q)
	if err != nil {
		return nil, true, r.unreachable(err)
	}
	defer got.Body.Close()
	answer, err = io.ReadAll(io.LimitReader(got.Body, maxAnswer))
	switch {
	case err != nil:
		return nil, true, r.unreachable(err)
	case got.StatusCode == http.StatusOK:
		return answer, false, nil
	}
	return nil, got.StatusCode == http.StatusServiceUnavailable, refusal(r.base, got.StatusCode, answer)
}

const maxAnswer = 1 << 20 // bytes

// refusal makes an error of a problem document, or of whatever answers there.
func refusal(base string, status int, body []byte) error {
	var p struct {
		Code, Detail string
		Errors       []struct{ Field, Detail string }
	}
	if json.Unmarshal(body, &p) != nil || p.Code == "" {
		return &Error{Err: fmt.Errorf("%s answers with status %d", base, status), Hint: "is that a node of Belfry, with its HTTP API on?"}
	}
	err := fmt.Errorf("%s: %s", p.Code, p.Detail)
	for _, f := range p.Errors[min(1, len(p.Errors)):] {
		err = fmt.Errorf("%w\n  %s %s", err, f.Field, f.Detail)
	}
	return &Error{Err: err, Hint: refusalHint(p.Code)}
}

func refusalHint(code string) string {
	switch code {
	case "token_missing", "token_invalid", "token_expired":
		return "give an API key with --key, or in BELFRY_API_KEY; belfry serve has them as auth.api_keys"
	case "forbidden":
		return "the grants of this key are in the configuration, auth.api_keys"
	}
	return ""
}
