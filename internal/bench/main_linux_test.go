package bench

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
	"go.uber.org/goleak"

	"github.com/seed-09a96375/belfry/internal/backplane"
	"github.com/seed-09a96375/belfry/internal/bench/benchtest"
	"github.com/seed-09a96375/belfry/internal/bench/floor"
	"github.com/seed-09a96375/belfry/internal/bench/records"
	"github.com/seed-09a96375/belfry/internal/bench/server"
	"github.com/seed-09a96375/belfry/internal/bench/worker"
)

// leakChecked runs tests and then looks for goroutines that were left behind.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){
		"belfry":          commandLine,
		"contract-server": contractServer,
		"belfry-node":     belfryNode,
	})
}

// commandLine is a belfry that knows bench only.
func commandLine() {
	root := &cobra.Command{Use: "belfry", SilenceErrors: true}
	root.AddCommand(Command())
	if err := root.Execute(); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// contractServer serves the contract on the address that is its argument, until
// it is killed.
func contractServer() {
	if _, err := benchtest.Listen(benchtest.Options{}, os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {}
}

// belfryNode is Belfry with recovery, on the address and the Redis that are its
// arguments.
func belfryNode() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	bus := backplane.Options{URL: os.Args[2], Interest: true, Recovery: time.Minute}
	if err := server.Run(ctx, server.Options{Listen: os.Args[1], Bus: bus, Out: os.Stdout, PublishKey: worker.PublishKey}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// inProcess runs helpers as goroutines of the test.
func inProcess(r role) (*helper, error) {
	serve := worker.Run
	switch r {
	case floorRole:
		serve = floor.Run
	case producerRole:
		serve = records.Run
	case workerRole:
	}
	orders, orderPipe := io.Pipe()
	reportPipe, reports := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := serve(orders, reports)
		orders.Close()
		reports.Close()
		ended <- err
	}()
	return &helper{pid: os.Getpid(), orders: orderPipe, lines: reportPipe, wait: func() error { return <-ended }}, nil
}

// nodes starts a contract server and returns it with the URLs of its nodes.
func nodes(t *testing.T, o benchtest.Options, n int) ([]*benchtest.Server, []string) {
	t.Helper()
	addrs := make([]string, n)
	for i := range addrs {
		addrs[i] = "127.0.0.1:0"
	}
	servers, err := benchtest.Listen(o, addrs...)
	if err != nil {
		t.Fatal(err)
	}
	var urls []string
	for _, s := range servers {
		urls = append(urls, s.URL())
		t.Cleanup(func() { s.Close() })
	}
	return servers, urls
}

// short makes a run as short as a test wants it.
func short(o Options) Options {
	setDefault(&o.Clients, 20)
	setDefault(&o.Duration, 300*time.Millisecond)
	setDefault(&o.Warmup, 50*time.Millisecond)
	setDefault(&o.Grace, 2*time.Second)
	setDefault(&o.Step, 100*time.Millisecond)
	setDefault(&o.Timeout, 10*time.Second)
	return o
}

// mustStart runs a benchmark that must succeed.
func mustStart(t *testing.T, o Options) *Result {
	t.Helper()
	r, err := start(t.Context(), short(o), inProcess, &progress{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
