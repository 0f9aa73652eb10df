package serve

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"

	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/internal/cluster"
	"github.com/seed-09a96375/belfry/internal/health"
	"github.com/seed-09a96375/belfry/internal/metrics"
)

// Metrics says where Prometheus reads what the node does. The zero value: at /metrics of
// Options.Listen, for who shows an API key or a token with the grant metrics or api; for
// everybody where Options.Open is true.
type Metrics struct {
	// Listen is an address of their own, with /healthz/ beside them: who can reach it
	// may read them. Options.Listen has them no more then.
	Listen string
}

// validateMetrics names what cannot work.
func (o Options) validateMetrics() (faults []error) {
	listen := o.Metrics.Listen
	if listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(listen); err != nil {
		faults = append(faults, fmt.Errorf("serve: Options.Metrics.Listen is %q: must be an address like 10.0.0.3:9464", listen))
	}
	if listen == o.withDefaults().Listen {
		faults = append(faults, fmt.Errorf("serve: Options.Metrics.Listen is %q: must be another address than that of clients", listen))
	}
	return faults
}

// serveMetrics answers those who may read them.
func (n *node) serveMetrics(w http.ResponseWriter, r *http.Request) {
	if n.fronts.Load() == nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	if status, why := n.mayWatch(r); status != http.StatusOK {
		if status == http.StatusUnauthorized {
			w.Header().Set("WWW-Authenticate", `Bearer realm="belfry"`)
		}
		http.Error(w, why, status)
		return
	}
	n.meters.handler.ServeHTTP(w, r)
}

// mayWatch says whether a request may have the metrics, and if not, why.
func (n *node) mayWatch(r *http.Request) (status int, why string) {
	if n.auth == nil {
		if n.o.Open {
			return http.StatusOK, ""
		}
		return http.StatusUnauthorized, "this node has no API keys, so that nobody can read its metrics: add auth.api_keys or metrics.listen to its configuration"
	}
	_, err := n.auth.Watcher(r.Context(), auth.Bearer(r.Header.Get("Authorization")))
	if err == nil {
		return http.StatusOK, ""
	}
	switch code := auth.CodeOf(err); code {
	case auth.Forbidden:
		return http.StatusForbidden, err.Error()
	case auth.Unavailable:
		return http.StatusServiceUnavailable, err.Error()
	default:
		return http.StatusUnauthorized, err.Error()
	}
}

// listenWatch opens the address that metrics have to themselves; nil: there is none.
func listenWatch(ctx context.Context, o Options) (net.Listener, error) {
	if o.Metrics.Listen == "" {
		return nil, nil
	}
	all, err := cluster.Listen(ctx, o.Metrics.Listen, 1)
	if err != nil {
		return nil, &watchError{err}
	}
	return all[0], nil
}

// watchError says that the address of metrics cannot be had.
type watchError struct{ error }

// Unwrap returns the cause.
func (e *watchError) Unwrap() error { return e.error }

// Error names the setting.
func (e *watchError) Error() string { return "metrics: " + e.error.Error() }

// Hint says what to do.
func (e *watchError) Hint() string {
	return "give another address with --metrics-listen, or none: then /metrics is on --listen, with a key"
}

// watch serves the metrics on their own address until the function that it returns is
// called.
func (n *node) watch(listener net.Listener) (stop func()) {
	if listener == nil {
		return func() {}
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+metrics.Path, n.meters.handler)
	mux.Handle(health.Path, n.health)
	web := cluster.NewHTTPServer(mux)
	web.ErrorLog = slog.NewLogLogger(n.log.Handler(), slog.LevelWarn)
	n.log.Info("metrics", "url", "http://"+listener.Addr().String()+metrics.Path)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := web.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("metrics are not served any more", "err", err)
		}
	}()
	return func() {
		_ = web.Close() // who is being answered asks again
		<-done
	}
}
