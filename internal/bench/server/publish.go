package server

import (
	"github.com/seed-09a96375/belfry/auth"
	"github.com/seed-09a96375/belfry/hub"
	"github.com/seed-09a96375/belfry/internal/httpapi"
)

// publishing is the HTTP API for those with the key; nil without a key.
func publishing(h *hub.Hub, key string) (*httpapi.API, error) {
	if key == "" {
		return nil, nil
	}
	a, err := auth.New(auth.Options{APIKeys: []auth.APIKey{{Name: "bench", Key: key}}})
	if err != nil {
		return nil, err
	}
	return httpapi.New(h, httpapi.Options{Auth: a})
}
