package orders

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/seed-09a96375/belfry/client"
)

// Notification is the body of POST /api/notification.
type Notification struct {
	Topic   string `json:"topic"` // /topic/NAME
	Message string `json:"message"`
	// ID makes a repetition harmless. Optional.
	ID string `json:"id,omitempty"`
}

const (
	topics          = "/topic/"
	maxNotification = 64 << 10
	// publishFor is how long a request tries: who sent it waits.
	publishFor = 5 * time.Second
)

func (n *Notification) validate() error {
	switch {
	case !strings.HasPrefix(n.Topic, topics) || n.Topic == topics:
		return fmt.Errorf("topic is %q: must be /topic/ and a name", n.Topic)
	case n.Message == "":
		return errors.New("message is empty: must be text")
	}
	return nil
}

// Notifications serves POST /api/notification: every client of the topic gets the
// message, once, on all nodes. 200 says that the cluster has accepted it. It is done
// through the API at that URL with the key of the request, so that the API judges who
// may publish where.
func Notifications(api string) http.Handler {
	transport := &http.Client{Timeout: publishFor}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n, status, err := readNotification(w, r)
		if err == nil {
			status, err = n.publish(r, client.Options{API: api, HTTP: transport, PublishFor: publishFor})
		}
		if err != nil {
			refuse(w, status, err)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
}

func readNotification(w http.ResponseWriter, r *http.Request) (n Notification, status int, err error) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		return n, http.StatusMethodNotAllowed, errors.New("this takes POST")
	}
	// Pages of other origins cannot send this type without being allowed to.
	if kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.TrimSpace(kind) != "application/json" {
		return n, http.StatusUnsupportedMediaType, errors.New("send Content-Type: application/json")
	}
	body := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxNotification))
	body.DisallowUnknownFields()
	if err := body.Decode(&n); err != nil {
		return n, http.StatusBadRequest, fmt.Errorf("body is not {topic, message}: %w", err)
	}
	return n, http.StatusBadRequest, n.validate()
}

func (n *Notification) publish(r *http.Request, o client.Options) (status int, err error) {
	o.Key = strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	c, err := client.New(r.Context(), o)
	if err != nil {
		return http.StatusInternalServerError, err
	}
	err = c.Publish(r.Context(), &client.Message{
		Rooms: []string{strings.TrimPrefix(n.Topic, topics)}, Event: "message", Args: []any{n.Message}, ID: n.ID,
	})
	var refused *client.Error
	if errors.As(err, &refused) {
		return refused.Status, err
	}
	return http.StatusServiceUnavailable, err
}

// refuse answers with a problem document (RFC 9457).
func refuse(w http.ResponseWriter, status int, err error) {
	if status == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{ // the client gets it, or it has gone
		"title": http.StatusText(status), "status": status, "detail": err.Error(),
	})
}
