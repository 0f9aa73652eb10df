// Command chaos does to clusters of real processes what happens to clusters, and
// counts what became of every message at every client.
//
//	go run . [-subject belfry] [-scenario all] [-controls] [-short] [-seed N]
//
// README.md says more. It ends with 1 if a promise was broken, or a control was
// not found out.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

type options struct {
	subjects, scenarios    []string
	from                   []string
	controls, only, short  bool
	again                  bool
	messages, clients      int
	events, chained        int
	seed                   uint64
	json, markdown, keepIn string
	node, belfry, consumer string
	transports             []string
	sticky                 bool
}

func parse() (o options) {
	from := flag.String("from", "", "`files` written with -json: show them, run nothing")
	subject := flag.String("subject", "belfry", "`names`: belfry, node-classic, node-sharded, node-streams, or all")
	scenario := flag.String("scenario", "all", "`names` of scenarios, with commas")
	flag.BoolVar(&o.controls, "controls", false, "run the control of each scenario as well, short")
	flag.BoolVar(&o.only, "only-controls", false, "run the controls alone")
	flag.BoolVar(&o.again, "again", false, "give what failed a second try: for machines that others use, too")
	flag.BoolVar(&o.short, "short", false, "a tenth of the messages")
	flag.IntVar(&o.messages, "messages", 5000, "`number` of messages")
	flag.IntVar(&o.events, "events", 20_000, "`number` of events and messages between clients and backends")
	flag.IntVar(&o.chained, "chained", 50_000, "`number` of messages along the whole chain")
	flag.IntVar(&o.clients, "clients", 200, "`number` of clients")
	flag.Uint64Var(&o.seed, "seed", rand.Uint64N(1e9), "seed of what is drawn by lot")
	flag.StringVar(&o.json, "json", "", "`file` for the reports")
	flag.StringVar(&o.markdown, "markdown", "", "`file` for the table")
	flag.StringVar(&o.keepIn, "keep", "", "`folder` for logs that stay; by default those of failures stay in a temporary one")
	flag.BoolVar(&o.sticky, "sticky", false, "let nginx keep each client on one server")
	transports := flag.String("transports", "", "`transports` of all clients, such as polling,websocket; by default some of each kind")
	flag.StringVar(&o.node, "node", "", "`program` of a Belfry node, if not the one here")
	flag.StringVar(&o.belfry, "belfry", "", "`program` of belfry, if not the one here")
	flag.Parse()
	o.subjects, o.scenarios = strings.Split(*subject, ","), strings.Split(*scenario, ",")
	if *transports != "" {
		o.transports = strings.Split(*transports, ",")
	}
	if *from != "" {
		o.from = strings.Split(*from, ",")
	}
	if o.short {
		o.messages /= 10
		o.events /= 10
		o.chained /= 10
	}
	return o
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ok, err := start(ctx, parse())
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func start(ctx context.Context, o options) (ok bool, err error) {
	if o.from != nil {
		return show(o)
	}
	return run(ctx, o)
}
