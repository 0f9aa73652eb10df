package serve

import "github.com/seed-09a96375/belfry/internal/httpapi"

// API says how backends are served over HTTP. Who they are says Options.Auth: without
// API keys or tokens with "api" nobody is let in, but where Options.Open is true
// everybody is.
type API struct {
	// Off leaves it out.
	Off bool
	// MaxBody bounds a body, bytes; see httpapi.Options.
	MaxBody int
	// MaxBatch bounds the messages of a batch; see httpapi.Options.
	MaxBatch int
}

func (a API) options() httpapi.Options {
	return httpapi.Options{MaxBody: a.MaxBody, MaxBatch: a.MaxBatch}
}

// openAPI adds the HTTP API, if it is served. All fronts are there already.
func (n *node) openAPI(f *fronts) error {
	if n.o.API.Off {
		return nil
	}
	o := n.o.API.options()
	o.Auth, o.Open = n.auth, n.o.Open && n.auth == nil
	o.Answers = n.queues.answers()
	if n.archive != nil {
		o.History = n.page
	}
	o.Health, o.Version, o.Logger, o.Observe = n.ready, n.o.Version, n.log, n.meters.api.Count
	var err error
	f.api, err = httpapi.New(f.io.Hub(), o)
	return err
}
