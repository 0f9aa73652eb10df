package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/auth"
)

func tailCommand() *cobra.Command {
	var (
		t     tail
		flags remoteFlags
		s     signer
		user  string
	)
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Print what clients get, as it comes",
		Long: `Print what the members of rooms, or a user, get: a line of JSON for each message. It
goes on after a broken connection where it was, on any node; what it missed comes
first. Notices, such as that messages were lost, go to standard error.

A node that knows its clients wants a token: --token, or with --config or
--secret-file one is signed here, for --user and the rooms. It ends with Ctrl-C, or
after --count messages.`,
		Example: `  belfry tail --room chat
  belfry tail --user ada --event reminder --config belfry.yaml
  belfry tail --room orders --count 1 --token file:/run/secrets/token | jq .args`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if t.node, err = flags.node(cmd, "BELFRY_TOKEN"); err != nil {
				return err
			}
			if err := t.login(cmd, &s, user); err != nil {
				return err
			}
			t.out, t.notices = cmd.OutOrStdout(), cmd.ErrOrStderr()
			return t.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	flags.add(f, "token", "`token` of a client; file:NAME reads it from a file (default BELFRY_TOKEN)")
	s.flags(f)
	f.StringArrayVar(&t.rooms, "room", nil, "`room`; repeat it for more")
	f.StringVar(&user, "user", "", "`user`: what is sent to that user comes as well")
	f.StringArrayVar(&t.events, "event", nil, "print only this `event`; repeat it for more")
	f.StringVar(&t.last, "after", "", "`offset` of a message: begin behind it")
	f.IntVar(&t.count, "count", 0, "`number` of messages after which it ends; 0: never")
	f.StringVar(&t.path, "path", "/sse", "`path` of event streams on the node")
	return cmd
}

// tail prints what an event stream brings.
type tail struct {
	node          *remote
	rooms, events []string
	path          string
	last          string // offset of the last thing that came
	count         int
	printed       int
	out, notices  io.Writer
	sign          func() (string, error) // makes tokens; nil: there is none, or one for all time
}

// login finds out what to show to the node.
func (t *tail) login(cmd *cobra.Command, s *signer, user string) (err error) {
	switch {
	case t.count < 0:
		return usageError(cmd, fmt.Errorf("--count is %d: must not be negative", t.count))
	case user == "" && len(t.rooms) == 0:
		return usageError(cmd, errors.New("what to listen to? give --room or --user"))
	case t.node.secret != "" && user != "":
		return usageError(cmd, errors.New("--token says who the user is already: leave --user out, or give --config to sign another"))
	case t.node.secret != "":
		return nil
	case s.given():
		t.sign = func() (string, error) {
			now := time.Now()
			return s.sign(cmd, user, auth.Rules{Join: patterns(t.rooms)}, now, now.Add(tailTime))
		}
		t.node.secret, err = t.sign()
		return err
	case user != "":
		return usageError(cmd, errors.New("a token is needed to be a user: give --config or --secret-file to sign one, or --token"))
	}
	return nil
}

// tailTime is how long a token holds that tail has signed for itself. Each connection
// has its own.
const tailTime = time.Hour

// errDone ends a tail that has printed what was wanted.
var errDone = errors.New("done")

// run goes on until ctx ends or enough is printed, which are no errors, or the node
// refuses.
func (t *tail) run(ctx context.Context) error {
	var pause backOff
	for {
		before := t.last
		err := t.stream(ctx)
		var refused *Error
		switch {
		case errors.Is(err, errDone), ctx.Err() != nil:
			return nil
		case errors.As(err, &refused):
			return err
		}
		if t.last != before {
			pause = backOff{}
		}
		fmt.Fprintf(t.notices, "notice: the connection broke (%v): trying again\n", err)
		if !pause.wait(ctx) {
			return nil
		}
		if t.sign != nil {
			if t.node.secret, err = t.sign(); err != nil {
				return err
			}
		}
	}
}
