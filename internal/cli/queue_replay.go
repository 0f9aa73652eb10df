package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/queue/redisstream"
)

func queueReplay(o *queueOptions) *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "replay QUEUE (ENTRY... | --all)", Short: "Put dead letters back into the queue",
		Long: `Put dead letters back into the queue, each in one step, for the group alone in which
it died. ENTRY is what belfry queue dead lists first. --all is those that there are
now.`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0:
				return oneQueue(cmd, args)
			case all == (len(args) > 1):
				return usageError(cmd, errors.New("which dead letters? give their entries, or --all"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, args[0], func(ctx context.Context, q *redisstream.Queue) error {
				r := &replay{q: q, table: o.table(cmd.OutOrStdout(), "ENTRY", "REPLAYED AS")}
				if all {
					return errors.Join(r.all(ctx), r.table.flush())
				}
				return errors.Join(r.some(ctx, args[1:]), r.table.flush())
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "all dead letters")
	return cmd
}

type replay struct {
	q     *redisstream.Queue
	table *table
}

// replayMany is how many dead letters are put back at a time: Redis does nothing else
// meanwhile.
const replayMany = 100

// all puts back what is there now: an event that dies again meanwhile is not among
// them.
func (r *replay) all(ctx context.Context) error {
	s, err := r.q.Stats(ctx)
	if err != nil {
		return err
	}
	for left := int(s.Dead); left > 0; {
		dead, err := r.q.Dead(ctx, "", min(left, replayMany))
		if err != nil || len(dead) == 0 {
			return err
		}
		entries := make([]string, len(dead))
		for i, d := range dead {
			entries[i] = d.Entry
		}
		left -= len(dead)
		if err := r.some(ctx, entries); err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) some(ctx context.Context, entries []string) error {
	added, err := r.q.Replay(ctx, entries...)
	if err != nil {
		return err
	}
	var missing error
	for i, entry := range entries {
		if added[i] == "" {
			missing = errors.Join(missing, fmt.Errorf("%q is no dead letter", entry))
			continue
		}
		if err := r.table.add(map[string]string{"entry": entry, "replayed": added[i]}, entry, added[i]); err != nil {
			return err
		}
	}
	if missing != nil {
		return &Error{Err: missing, Hint: "belfry queue dead lists them"}
	}
	return nil
}
