package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/queue/redisstream"
)

// table prints rows for people, or values for programs.
type table struct {
	json *json.Encoder // nil: rows
	rows *tabwriter.Writer
}

func (o *queueOptions) table(w io.Writer, head ...string) *table {
	if o.json {
		return &table{json: json.NewEncoder(w)}
	}
	t := &table{rows: tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)}
	fmt.Fprintln(t.rows, strings.Join(head, "\t"))
	return t
}

func (t *table) add(value any, cells ...string) error {
	if t.json != nil {
		return t.json.Encode(value)
	}
	_, err := fmt.Fprintln(t.rows, strings.Join(cells, "\t"))
	return err
}

func (t *table) flush() error {
	if t.json != nil {
		return nil
	}
	return t.rows.Flush()
}

func queueGroups(o *queueOptions) *cobra.Command {
	return &cobra.Command{
		Use: "groups QUEUE", Short: "List the consumers of each group", Args: oneQueue,
		Long: `List the consumers of each group: how many events each has got and not acknowledged,
and how long it has not been seen.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, args[0], func(ctx context.Context, q *redisstream.Queue) error {
				s, err := q.Stats(ctx)
				if err != nil {
					return err
				}
				t := o.table(cmd.OutOrStdout(), "GROUP", "CONSUMER", "PENDING", "SEEN")
				for _, g := range s.Groups {
					if err := addConsumers(ctx, t, q, g.Name); err != nil {
						return err
					}
				}
				return t.flush()
			})
		},
	}
}

func addConsumers(ctx context.Context, t *table, q *redisstream.Queue, group string) error {
	consumers, err := q.Consumers(ctx, group)
	if err != nil {
		return err
	}
	if len(consumers) == 0 {
		return t.add(map[string]any{"group": group, "consumers": 0}, plainText(group), "-", "0", "-")
	}
	for _, c := range consumers {
		err := t.add(map[string]any{"group": group, "consumer": c.Name, "pending": c.Pending, "idle_seconds": c.Idle.Seconds()},
			plainText(group), plainText(c.Name), strconv.FormatInt(c.Pending, 10), ago(c.Idle))
		if err != nil {
			return err
		}
	}
	return nil
}

func ago(d time.Duration) string { return d.Round(time.Millisecond).String() + " ago" }

func queueLag(o *queueOptions) *cobra.Command {
	var maxAge time.Duration
	cmd := &cobra.Command{
		Use: "lag QUEUE", Short: "Tell how far each group is behind", Args: oneQueue,
		Long: `Tell how far each group is behind: LAG are the events that no consumer has got yet,
PENDING those that one has got and not acknowledged, OLDEST is the age of the oldest
of both. With --max-age the exit code is 1 if that is older.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, args[0], func(ctx context.Context, q *redisstream.Queue) error {
				s, err := q.Stats(ctx)
				if err != nil {
					return err
				}
				if err := o.printLag(cmd.OutOrStdout(), s); err != nil {
					return err
				}
				return tooOld(s, maxAge)
			})
		},
	}
	cmd.Flags().DurationVar(&maxAge, "max-age", 0, "fail if an event waits for longer; 0: do not")
	return cmd
}

func (o *queueOptions) printLag(w io.Writer, s redisstream.Stats) error {
	t := o.table(w, "GROUP", "LAG", "PENDING", "OLDEST", "CONSUMERS")
	for _, g := range s.Groups {
		lag, oldest := strconv.FormatInt(g.Lag, 10), "-"
		if g.Lag < 0 {
			lag = "unknown"
		}
		if g.Oldest > 0 {
			oldest = g.Oldest.Round(time.Millisecond).String()
		}
		row := map[string]any{
			"group": g.Name, "lag": g.Lag, "pending": g.Pending, "oldest_seconds": g.Oldest.Seconds(), "consumers": g.Consumers,
		}
		if err := t.add(row, plainText(g.Name), lag, strconv.FormatInt(g.Pending, 10), oldest, strconv.FormatInt(g.Consumers, 10)); err != nil {
			return err
		}
	}
	if err := t.flush(); err != nil || o.json {
		return err
	}
	text := fmt.Sprintf("%d entries, %d dead letters", s.Length, s.Dead)
	if s.Dropped > 0 {
		text += fmt.Sprintf(", %d dropped: there were too many", s.Dropped)
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

func tooOld(s redisstream.Stats, maxAge time.Duration) error {
	for _, g := range s.Groups {
		if maxAge > 0 && g.Oldest > maxAge {
			return &Error{
				Err:  fmt.Errorf("an event of group %s waits for %v", g.Name, g.Oldest.Round(time.Second)),
				Hint: "are its consumers running, and fast enough? belfry queue groups lists them",
			}
		}
	}
	return nil
}

func queuePeek(o *queueOptions) *cobra.Command {
	var count int
	var after string
	cmd := &cobra.Command{
		Use: "peek QUEUE", Short: "Show entries of a queue; they stay where they are", Args: oneQueue,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, args[0], func(ctx context.Context, q *redisstream.Queue) error {
				entries, err := q.Peek(ctx, after, count)
				if err != nil {
					return err
				}
				t := o.table(cmd.OutOrStdout(), "ENTRY", "FIELDS")
				for _, e := range entries {
					if err := t.add(e, e.Entry, fieldsText(e.Fields)); err != nil {
						return err
					}
				}
				return t.flush()
			})
		},
	}
	pageFlags(cmd, &count, &after)
	return cmd
}

func pageFlags(cmd *cobra.Command, count *int, after *string) {
	cmd.Flags().IntVar(count, "count", 20, "how many at the most")
	cmd.Flags().StringVar(after, "after", "", "only those after this `entry`")
}

// fieldsText is for one line of a terminal: nothing in it moves the cursor.
func fieldsText(fields map[string]string) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		parts = append(parts, plainText(name)+"="+plainText(fields[name]))
	}
	return strings.Join(parts, " ")
}

func plainText(s string) string {
	quoted := strconv.Quote(s)
	if quoted[1:len(quoted)-1] == s && s != "" && !strings.Contains(s, " ") {
		return s
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) || s == "" {
		return quoted
	}
	return s
}

func queueDead(o *queueOptions) *cobra.Command {
	var count int
	var after string
	cmd := &cobra.Command{
		Use: "dead QUEUE", Short: "List dead letters, with the reason", Args: oneQueue,
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.with(cmd, args[0], func(ctx context.Context, q *redisstream.Queue) error {
				dead, err := q.Dead(ctx, after, count)
				if err != nil {
					return err
				}
				t := o.table(cmd.OutOrStdout(), "ENTRY", "GROUP", "TRIES", "REASON", "FIELDS")
				for _, d := range dead {
					if err := t.add(d, d.Entry, plainText(d.Group), strconv.Itoa(d.Tries), plainText(d.Reason), fieldsText(d.Fields)); err != nil {
						return err
					}
				}
				return t.flush()
			})
		},
	}
	pageFlags(cmd, &count, &after)
	return cmd
}
