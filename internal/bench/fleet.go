package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"

	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// role is what a helper process of a run is.
type role string

const (
	workerRole   role = "worker"
	floorRole    role = "floor-server"
	producerRole role = "producer"
)

// launcher starts a helper process.
type launcher func(role) (*helper, error)

// helper is a running worker or floor server.
type helper struct {
	pid    int
	orders io.WriteCloser
	lines  io.Reader    // its reports
	wait   func() error // returns when it has ended
}

// execLauncher starts this program again with the given arguments before the
// name of the role.
func execLauncher(args []string) launcher {
	return func(r role) (*helper, error) {
		exe, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find own program: %w", err)
		}
		cmd := exec.Command(exe, append(args[:len(args):len(args)], string(r))...)
		cmd.Stderr = os.Stderr
		detach(cmd) // Ctrl-C is for the parent, which then asks for a summary
		orders, err := cmd.StdinPipe()
		if err != nil {
			return nil, err
		}
		lines, err := cmd.StdoutPipe()
		if err != nil {
			return nil, err
		}
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("start a %s process: %w", r, err)
		}
		return &helper{pid: cmd.Process.Pid, orders: orders, lines: lines, wait: cmd.Wait}, nil
	}
}

// fleet is the helpers of one run: the workers, and as the last the floor server with
// Floor, the producer with Kafka.
type fleet struct {
	helpers []*helper
	reports chan message
	done    sync.WaitGroup
	stop    chan struct{}
	seen    []worker.Progress
	watch   func([]worker.Progress) // told of progress
}

// message is a report and who sent it, or the end of a helper.
type message struct {
	from   int
	report worker.Report
	err    error
}

func newFleet(watch func([]worker.Progress)) *fleet {
	return &fleet{reports: make(chan message), stop: make(chan struct{}), watch: watch}
}

// add starts one more helper.
func (f *fleet) add(launch launcher, r role) (*helper, error) {
	h, err := launch(r)
	if err != nil {
		return nil, err
	}
	from := len(f.helpers)
	f.helpers = append(f.helpers, h)
	f.seen = append(f.seen, worker.Progress{})
	f.done.Go(func() { f.listen(from, h) })
	return h, nil
}

// listen passes on the reports of a helper until it ends.
func (f *fleet) listen(from int, h *helper) {
	dec := json.NewDecoder(h.lines)
	for {
		m := message{from: from}
		m.err = dec.Decode(&m.report)
		select {
		case f.reports <- m:
		case <-f.stop:
		}
		if m.err != nil {
			return
		}
	}
}

// order sends an order to one helper.
func (f *fleet) order(to int, o worker.Order) error {
	if err := json.NewEncoder(f.helpers[to].orders).Encode(o); err != nil {
		// Why it ended is in its last report, if it had time for one.
		return f.lastWords(err)
	}
	return nil
}

// lastWords returns the fault that a helper reported before it ended, else err.
func (f *fleet) lastWords(err error) error {
	for {
		m := <-f.reports
		if m.err != nil {
			return fmt.Errorf("a helper process ended: %w", err)
		}
		if m.report.Fault != nil {
			return m.report.Fault
		}
	}
}

// all sends an order to the first n helpers and waits for their answers.
func (f *fleet) all(ctx context.Context, n int, o worker.Order) ([]worker.Report, error) {
	for to := range n {
		if err := f.order(to, o); err != nil {
			return nil, err
		}
	}
	return f.answers(ctx, n, o.Op)
}

// answers waits until each of the first n helpers has answered an order.
func (f *fleet) answers(ctx context.Context, n int, op worker.Op) ([]worker.Report, error) {
	out := make([]worker.Report, n)
	for left := n; left > 0; {
		m, err := f.next(ctx)
		if err != nil {
			return nil, err
		}
		if m.report.Op == op && m.from < n {
			out[m.from] = m.report
			left--
		}
	}
	return out, nil
}

// next returns the next report that is an answer. Faults, and the end of a
// helper, are errors.
func (f *fleet) next(ctx context.Context) (message, error) {
	for {
		select {
		case <-ctx.Done():
			return message{}, ctx.Err()
		case m := <-f.reports:
			switch {
			case m.err != nil:
				return m, fmt.Errorf("a helper process ended too early: %w", m.err)
			case m.report.Fault != nil:
				return m, m.report.Fault
			case m.report.Progress != nil:
				f.seen[m.from] = *m.report.Progress
				f.watch(f.seen)
			default:
				return m, nil
			}
		}
	}
}

// close ends all helpers and waits for them.
func (f *fleet) close() error {
	close(f.stop)
	var errs []error
	for _, h := range f.helpers {
		// Whoever does not get the order sees the end of the pipe.
		_ = json.NewEncoder(h.orders).Encode(worker.Order{Op: worker.OpQuit})
		errs = append(errs, h.orders.Close())
	}
	f.done.Wait()
	for _, h := range f.helpers {
		errs = append(errs, h.wait())
	}
	return errors.Join(errs...)
}

// connected returns how many clients were connected when last heard.
func (f *fleet) connected() (n int) {
	for _, p := range f.seen {
		n += p.Connected
	}
	return n
}
