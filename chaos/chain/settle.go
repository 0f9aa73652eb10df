package chain

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/seed-09a96375/belfry/chaos/account"
	"github.com/seed-09a96375/belfry/chaos/lab"
)

const (
	// stillTime is without anything that comes; then nothing more is awaited. It is
	// longer than the heartbeat.
	stillTime = 50 * time.Second
	// brokenTime is enough where something has to be missing.
	brokenTime = 5 * time.Second
	// afterTime is waited for what should not come any more.
	afterTime = time.Second
)

// settle waits until all is where it belongs, or nothing moves any more, and closes the
// account.
func (r *run) settle(ctx context.Context) (Report, error) {
	limbo, err := r.drain(ctx)
	r.say("%d in limbo: %v", limbo, err)
	if err != nil {
		return Report{}, err
	}
	report, err := r.arrive(ctx)
	if err != nil {
		return report, err
	}
	for _, a := range r.archivers {
		if err := a.Stop(patience); err != nil {
			return report, err
		}
	}
	report.Limbo = limbo
	table, err := r.readRows(ctx)
	if err != nil {
		return report, err
	}
	l, err := readLedger(r.clients.Log, len(r.layout.Streams))
	if err != nil {
		return report, err
	}
	r.feed.sent(l.sent)
	report.Repeated, report.Rows = l.repeated, settleRows(r.layout.Plan, l.sent, l.offsets, table)
	return report, r.readTopics(ctx, &report)
}

func (r *run) stillTime() time.Duration {
	if r.broken {
		return brokenTime
	}
	return stillTime
}

// drain waits until the groups are done with all records; it returns what is left when
// nothing has moved for long.
func (r *run) drain(ctx context.Context) (left int, err error) {
	last, since := -1, time.Now()
	for {
		left, err = r.topics.limbo(ctx)
		switch {
		case err == nil && left == 0:
			return 0, nil
		case err == nil && left != last:
			last, since = left, time.Now()
		case time.Since(since) > stillTime:
			return left, err
		}
		if err := lab.Pause(ctx, 200*time.Millisecond); err != nil {
			return left, fmt.Errorf("%d records are not done with: %w", left, err)
		}
	}
}

// arrive waits until clients have what they must get.
func (r *run) arrive(ctx context.Context) (Report, error) {
	last, since := -1, time.Now()
	for {
		if err := lab.Pause(ctx, afterTime); err != nil {
			return Report{}, errors.Join(err, errors.New("messages do not come to an end"))
		}
		status, _ := r.clients.Status()
		if status.Received != last {
			last, since = status.Received, time.Now()
			continue // the account is for when nothing comes
		}
		report, err := r.deliveries()
		r.say("%d deliveries, %d lost, %d absent: %v", report.Expected, report.Lost, report.Absent, err)
		if err != nil {
			return Report{}, err
		}
		if report.Lost == 0 && report.Absent == 0 || time.Since(since) > r.stillTime() {
			return Report{Deliveries: report}, nil
		}
	}
}

// deliveries is the account of the clients as it is now.
func (r *run) deliveries() (account.Report, error) {
	l, err := readLedger(r.clients.Log, len(r.layout.Streams))
	if err != nil {
		return account.Report{}, err
	}
	r.feed.sent(l.sent)
	log, err := os.Open(r.clients.Log)
	if err != nil {
		return account.Report{}, err
	}
	defer log.Close()
	book := account.NewBook(r.layout.Plan, l.sent)
	if err := account.Read(log, book.Enter); err != nil {
		return account.Report{}, err
	}
	return book.Settle(), nil
}

// readTopics accounts for what is left in Kafka: repetitions, and dead letters.
func (r *run) readTopics(ctx context.Context, report *Report) error {
	records, err := r.topics.read(ctx, events)
	if err != nil {
		return err
	}
	report.Twice = twice(records)
	dead, err := r.topics.read(ctx, feedTopic+".dead")
	if err != nil {
		return err
	}
	more, err := r.topics.read(ctx, events+".dead")
	if err != nil {
		return err
	}
	letters, err := lettersOf(append(dead, more...))
	if err != nil {
		return err
	}
	report.settleLetters(r.feed.poison, letters)
	return nil
}

// settleLetters: each poison has to be among the dead letters of each group, and nothing
// else.
func (r *Report) settleLetters(poison map[place]bool, letters map[letter]bool) {
	r.Poison, r.Letters = len(poison), len(letters)
	for at := range poison {
		for _, group := range []string{nodeGroup, archiveGroup} {
			if !letters[letter{at, group}] {
				r.Unsaid++
			}
		}
	}
	for l := range letters {
		if !poison[l.place] {
			r.Odd++
		}
	}
}
