package fleet

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/seed-09a96375/belfry"
)

// Mail is what the team is told of a Critical alert.
type Mail struct {
	// ID is that of the alert. It is the same in every try.
	ID      string `json:"-"`
	To      string `json:"to"`
	Truck   string `json:"truckId"`
	Subject string `json:"subject"`
	Message string `json:"message"`
}

// MailFunc has a mail sent. ctx ends after Options.MailTimeout. After an error the mail
// is tried again, for six hours; after a *belfry.PoisonError it never is.
type MailFunc func(ctx context.Context, m Mail) error

// MailByHTTP is a MailFunc that POSTs {to, truckId, subject, message} to a URL, with the
// ID as Idempotency-Key: a mail comes twice if the answer to it is lost. 2xx says that
// it is taken, 400, 410, 413 and 422 that it never will be. A nil client is
// http.DefaultClient.
func MailByHTTP(client *http.Client, url string) MailFunc {
	return func(ctx context.Context, m Mail) error {
		answer, err := post(ctx, client, url, m, http.Header{"Idempotency-Key": {m.ID}})
		if err != nil {
			return fmt.Errorf("call the mail service: %w", err)
		}
		_ = answer.Body.Close()
		if answer.StatusCode/100 == 2 {
			return nil
		}
		err = fmt.Errorf("the mail service answers %s", answer.Status)
		switch answer.StatusCode {
		case http.StatusBadRequest, http.StatusGone, http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
			return &belfry.PoisonError{Reason: err}
		}
		return err
	}
}

// mailGroup is the consumer group of all nodes that mails. It has a place of its own in
// the queue: a mail service that is away holds up mails alone.
const mailGroup = "fleet-mail"

func (f *Fleet) mailOptions() belfry.ConsumeOptions {
	return belfry.ConsumeOptions{
		Unordered: true, MaxTries: -1, MaxAge: 6 * time.Hour, Backoff: time.Second, MaxBackoff: time.Minute,
		Dedup: time.Hour, Timeout: f.opts.MailTimeout, Logger: f.opts.Logger,
	}
}

// mail has an alert mailed if it is Critical. Other entries, and all if nobody is to be
// mailed, are done with: the queue drops what both groups are done with.
func (f *Fleet) mail(ctx context.Context, d *belfry.Delivery) (*belfry.Answer, error) {
	var a Alert
	var r Reading
	if f.opts.Mail == nil || d.Name != queuedAlert || !decodeArgs(d.Args, &a, &r) || a.Type != Critical {
		return nil, nil
	}
	return nil, f.opts.Mail(ctx, Mail{
		ID: a.ID, To: f.opts.MailTo, Truck: a.Truck, Subject: a.Type + ": " + a.Truck,
		Message: fmt.Sprintf("%s\n%s, at %.5f, %.5f, goods at %.1f °C", a.Message, a.Time.Format(time.RFC1123), a.Location.Lat, a.Location.Lng, r.Temperature),
	})
}
