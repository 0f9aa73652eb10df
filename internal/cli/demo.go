package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/seed-09a96375/belfry/examples/fleet"
	"github.com/seed-09a96375/belfry/internal/config"
	"github.com/seed-09a96375/belfry/internal/demo"
)

func demoCommand() *cobra.Command {
	var o demo.Options
	var backends, trucks int
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Run a chat, screen sharing, orders and a fleet on two nodes, with pages to try them",
		Long: `Run a chat, screen sharing, orders and a fleet on two nodes, with pages to try them.

The nodes act as one server: open the start page of each, and from there

  /chat/    join with two names, and write; the page can break its own connection to
            show that it recovers with nothing lost
  /meet/    rooms in which people show each other their screens
  /orders/  STOMP clients give work to backends, and one sees which backend had it;
            with --redis more backends can be started beside the demo, in any language
            (docs/backends.md)
  /fleet/   trucks drive over a map; alerts tell what is wrong with them, and orders
            what becomes of them; one logs in there

The HTTP API is open at /api/: the demo asks nobody who they are. The nodes share a bus
in memory, so that no other service is needed and nothing is kept when the demo stops;
with --redis they share that, also with demos in other terminals and on other machines.
With --kafka messages of the chat, readings of trucks and orders go through Kafka, with
--postgres messages, alerts and orders are kept there; the pages say which way they go.`,
		Example: `  belfry demo --open                       and open a browser
  belfry demo --listen 0.0.0.0:3000        let phones on this network join
  belfry demo --nodes 3 --listen :4000     three nodes, on ports 4000 to 4002
  belfry demo --nodes 3 --redis redis://127.0.0.1:6379
  belfry demo --redis URL --kafka kafka://127.0.0.1:9092 --postgres postgres://belfry@127.0.0.1/chat`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.Out = cmd.OutOrStdout()
			if err := count(&o, backends, trucks); err != nil {
				return usageError(cmd, err)
			}
			if err := o.Validate(); err != nil {
				return usageError(cmd, asFlag(err))
			}
			return demo.Run(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Listen, "listen", "127.0.0.1:3000", "`address` of the first node; the others take the ports that follow")
	f.IntVar(&o.Nodes, "nodes", 2, "`number` of nodes")
	f.IntVar(&backends, "backends", 2, "`number` of backends that handle orders; 0: others do")
	f.IntVar(&trucks, "trucks", 200, "`number` of trucks that drive over the map of the fleet; 0: none")
	f.StringVar(&o.Kafka, "kafka", "", "`URL` of a Kafka that messages, readings and orders go through: kafka://host:9092")
	f.StringVar(&o.Postgres, "postgres", "", "`URL` of a database that keeps messages, alerts and orders: postgres://user@host/database")
	f.StringVar(&o.Mail, "mail", "", "`URL` that gets a POST for each critical alert of the fleet: http://host/path")
	config.Bus(&o.Bus).Flags(f)
	f.BoolVar(&o.Open, "open", false, "open the first node's page in a browser")
	return cmd
}

// count takes the numbers of the flags, where 0 is none, for those of the options,
// where it is the default.
func count(o *demo.Options, backends, trucks int) error {
	for _, n := range []struct {
		flag     string
		is       int
		low, top int
	}{
		{"nodes", o.Nodes, 1, demo.MaxNodes}, {"backends", backends, 0, demo.MaxBackends}, {"trucks", trucks, 0, fleet.MaxTrucks},
	} {
		if n.is < n.low || n.is > n.top {
			return fmt.Errorf("--%s is %d: must be between %d and %d", n.flag, n.is, n.low, n.top)
		}
	}
	if o.Backends = backends; backends == 0 {
		o.Backends = -1
	}
	if o.Trucks = trucks; trucks == 0 {
		o.Trucks = -1
	}
	return nil
}

// option is how demo.Options names what is wrong.
var option = regexp.MustCompile(`demo: Options\.(\w+)`)

// asFlag names the flag, which is the option in small letters.
func asFlag(err error) error {
	return errors.New(option.ReplaceAllStringFunc(err.Error(), func(name string) string {
		return "--" + strings.ToLower(strings.TrimPrefix(name, "demo: Options."))
	}))
}
