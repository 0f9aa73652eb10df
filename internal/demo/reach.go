package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/seed-09a96375/belfry/kafkaconn"
)

// ServiceError tells that a service the demo was told to use cannot be used. It holds
// no password.
type ServiceError struct {
	Service string // "Kafka", "PostgreSQL"
	Addr    string // host and port
	Err     error
	hint    string
}

// Error names the service.
func (e *ServiceError) Error() string {
	return fmt.Sprintf("no connection to %s at %s: %v", e.Service, e.Addr, e.Err)
}

// Unwrap returns the cause.
func (e *ServiceError) Unwrap() error { return e.Err }

// Hint says what to check.
func (e *ServiceError) Hint() string { return e.hint }

// reachTimeout bounds the wait for a service at the start.
const reachTimeout = 10 * time.Second

// reach looks whether the services that the demo was told to use are there. A node of
// `belfry serve` waits for them instead; who tries something out wants to know.
func (o Options) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	return errors.Join(o.reachKafka(ctx), o.reachPostgres(ctx))
}

func (o Options) reachKafka(ctx context.Context) error {
	if o.Kafka == "" {
		return nil
	}
	conn, err := kafkaconn.Options{URL: o.Kafka}.Client(slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	client, err := kgo.NewClient(conn...)
	if err != nil {
		return err
	}
	defer client.Close()
	if err := client.Ping(ctx); err != nil {
		return &ServiceError{"Kafka", addrOf(o.Kafka), bare(err), "is Kafka running there? its listener must be advertised under an address that this machine reaches"}
	}
	return nil
}

func (o Options) reachPostgres(ctx context.Context) error {
	if o.Postgres == "" {
		return nil
	}
	config, err := pgx.ParseConfig(o.Postgres)
	if err != nil {
		return errors.New("demo: Options.Postgres is no URL like postgres://user@host/database")
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err == nil {
		return conn.Close(ctx)
	}
	failure := &ServiceError{"PostgreSQL", net.JoinHostPort(config.Host, fmt.Sprint(config.Port)), bare(err), "is PostgreSQL running there? check with: psql URL -c 'SELECT 1'"}
	var answer *pgconn.PgError
	if errors.As(err, &answer) {
		failure.Err, failure.hint = errors.New(answer.Message), hintOfCode(answer.Code, config.Database)
	}
	return failure
}

// hintOfCode is for errors with which PostgreSQL itself answers: its documentation,
// Appendix A.
func hintOfCode(code, database string) string {
	switch code {
	case "3D000":
		return "make it with: createdb " + database
	case "28P01", "28000":
		return "user or password in --postgres is wrong, or pg_hba.conf does not let them in; special characters in them are percent-encoded"
	}
	return "check --postgres with: psql URL -c 'SELECT 1'"
}

// bare is the cause without what says again what and where.
func bare(err error) error {
	var op *net.OpError
	switch {
	case errors.As(err, &op):
		return op.Err
	case errors.Is(err, context.DeadlineExceeded):
		return errors.New("no answer")
	}
	return err
}

// addrOf is host and port of a URL.
func addrOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "the URL" // whatever it is, it may hold a password
	}
	return u.Host
}
