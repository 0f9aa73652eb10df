package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry"
	"github.com/seed-09a96375/belfry/archive"
	"github.com/seed-09a96375/belfry/archive/postgres"
	"github.com/seed-09a96375/belfry/archive/sqlite"
)

func archiveStatusCommand() *cobra.Command {
	var (
		a      archiveFlags
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show what the archive holds, and how far behind it is",
		Long: `Show what the archive holds, and how far behind it is, if --redis or --kafka says
where its messages come from. Nothing is changed.`,
		Example: `  belfry archive status --postgres postgres://belfry@10.0.0.6/chat --redis redis://10.0.0.5:6379
  belfry archive status --sqlite messages.db --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := archiveEnvironment(cmd); err != nil {
				return err
			}
			if err := a.validate(false); err != nil {
				return usageError(cmd, err)
			}
			const patience = 30 * time.Second
			ctx, cancel := context.WithTimeout(cmd.Context(), patience)
			defer cancel()
			v, err := a.status(ctx)
			if err != nil {
				return err
			}
			if asJSON {
				e := json.NewEncoder(cmd.OutOrStdout())
				e.SetIndent("", "  ")
				return e.Encode(v)
			}
			return v.print(cmd.OutOrStdout())
		},
	}
	a.addFlags(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// archiveStatus is what `belfry archive status` shows.
type archiveStatus struct {
	Database string `json:"database"`
	*archive.Survey
	Lag *lagStats `json:"lag,omitempty"`
}

func (a *archiveFlags) status(ctx context.Context) (*archiveStatus, error) {
	store, err := a.openToRead(ctx)
	if err != nil {
		return nil, archiveHint(err)
	}
	defer closeStore(store)
	v := &archiveStatus{Database: a.databaseName()}
	if v.Survey, err = store.Survey(ctx); err != nil {
		return nil, err
	}
	if a.bus.URL == "" && a.kafka == "" {
		return v, nil
	}
	lag, err := a.lag(ctx)
	if v.Lag = newLagStats(lag, err); err != nil {
		return nil, fmt.Errorf("ask how far behind it is: %w", err)
	}
	return v, nil
}

func archiveHint(err error) error {
	switch {
	case errors.Is(err, postgres.ErrNoArchive), errors.Is(err, sqlite.ErrNoArchive):
		return &Error{Err: err, Hint: "see belfry archive --help"}
	case postgres.Passes(err):
		return &Error{Err: err, Hint: "is the database there, and can it be reached?"}
	}
	return err
}

func (a *archiveFlags) openToRead(ctx context.Context) (database, error) {
	if a.sqlite != "" {
		return asDatabase(sqlite.OpenToRead(ctx, sqlite.Options{File: a.sqlite}))
	}
	return asDatabase(postgres.OpenToRead(ctx, a.postgres))
}

func (a *archiveFlags) lag(ctx context.Context) (belfry.Lag, error) {
	source, release, err := a.openSource(ctx, slog.New(slog.DiscardHandler))
	if err != nil {
		return belfry.Lag{}, err
	}
	defer release()
	reporter, ok := source.(belfry.LagReporter)
	if !ok {
		return belfry.Lag{}, errors.New("the source does not know")
	}
	return reporter.Lag(ctx)
}

// databaseName says which, without the password.
func (a *archiveFlags) databaseName() string {
	if a.sqlite != "" {
		return a.sqlite
	}
	table := a.postgres.Schema + "." + a.postgres.Table
	if u, err := url.Parse(a.postgres.URL); err == nil && u.Host != "" {
		return u.Host + u.Path + ", " + table
	}
	return table
}

func (v *archiveStatus) print(out io.Writer) error {
	about := ""
	if v.Estimated {
		about = "about "
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "database\t%s\nrows\t%s%d\nsize\t%s\n", v.Database, about, v.Rows, sizeText(v.Bytes))
	if v.Lag != nil {
		age := time.Duration(v.Lag.Seconds * float64(time.Second)).Round(time.Second)
		fmt.Fprintf(w, "lag\t%d records, the oldest of %v\n", v.Lag.Records, age)
	}
	if len(v.Partitions) > 0 {
		fmt.Fprintf(w, "\npartition\tfrom\tto\trows\tsize\n")
	}
	for _, p := range v.Partitions {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s%d\t%s\n", p.Name, p.From.Format(time.DateOnly), p.To.Format(time.DateOnly), about, p.Rows, sizeText(p.Bytes))
	}
	return w.Flush()
}

// sizeText is a size for people.
func sizeText(bytes int64) string {
	const unit = 1024
	if bytes < unit {
		return fmt.Sprintf("%d B", bytes)
	}
	n, names := float64(bytes), "KMGTPE"
	for n /= unit; n >= unit; n /= unit {
		names = names[1:]
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0") + " " + names[:1] + "iB"
}
