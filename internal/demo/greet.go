package demo

import (
	"context"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strconv"
)

// greet tells the user where the nodes are, and what is missing.
func (o Options) greet(ctx context.Context, listeners []net.Listener, withClient bool) {
	fmt.Fprintf(o.Out, "Belfry demo: %s.\n\n", count(len(listeners)))
	for i, ln := range listeners {
		fmt.Fprintf(o.Out, "  %s  %s\n", nodeName(i), pageURL(ln))
	}
	fmt.Fprint(o.Out, `
  /         leads to all of these, on each node
  /chat/    open it on each node, join with two names, and write
  /meet/    people show each other their screens
  /orders/  backends share the work that pages give them
  /fleet/   trucks on a map, and alerts when something is wrong
`)
	if more := o.more(); more != "" {
		fmt.Fprintf(o.Out, "\nOne more backend, from the folder of the repository:\n\n  %s\n", more)
	}
	fmt.Fprintln(o.Out, "\nCtrl-C stops the demo.")
	if !withClient {
		fmt.Fprintln(o.Out, "hint: this build lacks a browser client, so not all pages can connect: run `make build`, then bin/belfry demo")
	}
	if !o.Open {
		return
	}
	if err := open(ctx, pageURL(listeners[0])); err != nil {
		fmt.Fprintf(o.Out, "hint: no browser could be opened (%v): open the address yourself\n", err)
	}
}

func count(nodes int) string {
	if nodes == 1 {
		return "one node"
	}
	return strconv.Itoa(nodes) + " nodes that act as one server"
}

// pageURL is an address that a browser on this machine can open.
func pageURL(ln net.Listener) string {
	host, _, err := net.SplitHostPort(ln.Addr().String())
	if ip := net.ParseIP(host); err != nil || ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port(ln))) + "/"
}

// open shows a page in the user's browser. It does not wait for the browser.
func open(ctx context.Context, url string) error {
	name, args := opener(runtime.GOOS)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), name, append(args, url)...)
	if err := cmd.Start(); err != nil {
		return err
	}
	return cmd.Process.Release()
}

// opener is the command that opens an address on that system.
func opener(system string) (name string, args []string) {
	switch system {
	case "darwin":
		return "open", nil
	case "windows":
		return "rundll32", []string{"url.dll,FileProtocolHandler"}
	}
	return "xdg-open", nil
}
