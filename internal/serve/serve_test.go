package serve

import (
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/seed-09a96375/belfry/engineio"
)

func TestValidateNamesAllFaults(t *testing.T) {
	if err := (Options{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
	err := Options{
		Path: "x", Advertise: "ftp://x", Recovery: -1, Drain: -1, DrainDelay: -1, PingInterval: -1, Origins: []string{"%"},
	}.Validate()
	for _, field := range []string{"Path", "Advertise", "Recovery", "Drain", "DrainDelay", "PingInterval", "Origins"} {
		if err == nil || !strings.Contains(err.Error(), "Options."+field+" is") {
			t.Errorf("%s is not among the faults: %v", field, err)
		}
	}
	for _, path := range []string{"/", "/x", "x/", "/healthz/", "/healthz/x/"} {
		if (Options{Path: path}).Validate() == nil {
			t.Errorf("path %q is accepted", path)
		}
	}
}

// writer is a function that gets each line of a log.
type writer func(line string)

func (w writer) Write(b []byte) (int, error) {
	w(string(b))
	return len(b), nil
}

func TestRunEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var log strings.Builder
	err := Run(ctx, Options{Listen: "127.0.0.1:0", Logger: slog.New(slog.NewTextHandler(writer(func(line string) {
		log.WriteString(line)
		if strings.Contains(line, "msg=ready") {
			cancel()
		}
	}), nil))})
	if err != nil || !strings.Contains(log.String(), "msg=stopped") {
		t.Errorf("Run: %v; its log:\n%s", err, &log)
	}
}

func TestServerOptions(t *testing.T) {
	closed := Options{}.withDefaults().server(nil, &net.TCPAddr{})
	if closed.EngineIO.Origins == nil || len(closed.EngineIO.Origins) != 0 || closed.EngineIO.CORS != nil || closed.Recovery != nil {
		t.Errorf("by default: %+v, want only pages of the same host, no recovery", closed)
	}
	some := Options{Origins: []string{"https://example.com"}, Recovery: time.Minute}.withDefaults().server(nil, &net.TCPAddr{})
	if some.EngineIO.CORS == nil || some.Recovery.MaxDisconnection != time.Minute {
		t.Errorf("with origins and recovery: %+v", some)
	}
	if err := (engineio.Options{Origins: some.EngineIO.Origins, CORS: some.EngineIO.CORS}).Validate(); err != nil {
		t.Error(err)
	}
}
