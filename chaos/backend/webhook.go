package backend

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"github.com/seed-09a96375/belfry/chaos/lab"
)

// webhookRun is one experiment.
type webhookRun struct {
	Options
	cluster  *lab.Cluster
	receiver *receiver
	clients  *lab.Fleet
}

func runWebhook(ctx context.Context, o Options, broken bool) (Report, error) {
	r := &webhookRun{Options: o}
	defer r.stop()
	if err := r.start(ctx, broken); err != nil {
		return Report{}, err
	}
	if err := r.happen(ctx); err != nil {
		return Report{}, fmt.Errorf("fault: %w", err)
	}
	return r.settle(ctx)
}

func webhookConfig(url, secret string) string {
	return joined(
		"webhooks:",
		"  - name: "+Queue,
		"    url: "+url,
		"    secret: "+secret,
		"    backoff: 200ms",
		"    max_backoff: 1s",
		"routes:",
		"  - event: order",
		"    webhook: "+Queue,
		`    key: "{args.0.key}"`,
		`    id: "{args.0.id}"`,
	)
}

func (r *webhookRun) start(ctx context.Context, broken bool) (err error) {
	var key [32]byte
	_, _ = rand.Read(key[:])
	secret := base64.StdEncoding.EncodeToString(key[:])
	if r.receiver, err = newReceiver(secret, broken); err != nil {
		return err
	}
	if err := r.receiver.open(); err != nil {
		return err
	}
	if r.cluster, err = startCluster(ctx, r.Options, webhookConfig("http://"+r.receiver.addr+"/events", secret)); err != nil {
		return err
	}
	r.clients, err = startClients(r.Options, r.cluster.Nginx.URL)
	return err
}

func (r *webhookRun) stop() {
	if r.clients != nil {
		r.clients.Close()
	}
	if r.cluster != nil {
		r.cluster.Close()
	}
	if r.receiver != nil {
		r.receiver.close()
	}
}

// calm is how long nothing happens at first: then nothing may come twice.
const calm = 2 * time.Second

func (r *webhookRun) happen(ctx context.Context) error {
	if err := r.clients.Until(ctx, func(s lab.Status) bool { return s.Acked > r.Clients }); err != nil {
		return err
	}
	if err := lab.Pause(ctx, calm); err != nil {
		return err
	}
	r.receiver.happened()
	for _, fault := range r.faults() {
		if err := errors.Join(fault(ctx), lab.Pause(ctx, 700*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// faults of a short run have no kill -9 of a node: what it had under way goes to
// others after a minute.
func (r *webhookRun) faults() []func(context.Context) error {
	all := []func(context.Context) error{
		r.closeReceiver,
		func(ctx context.Context) error {
			r.cluster.Redis.Kill()
			return errors.Join(lab.Pause(ctx, away), r.cluster.Redis.Run(ctx))
		},
		r.cluster.Nodes[1].Restart,
	}
	if r.Hasty {
		return all
	}
	kill := func(ctx context.Context) error {
		r.cluster.Nodes[0].Kill()
		return errors.Join(lab.Pause(ctx, away), r.cluster.Nodes[0].Run(ctx))
	}
	return append(append(all, kill), all...)
}

func (r *webhookRun) closeReceiver(ctx context.Context) error {
	r.receiver.close()
	return errors.Join(lab.Pause(ctx, 3*away), r.receiver.open())
}

// settle waits until all events are acked to the clients, and the webhook is done.
func (r *webhookRun) settle(ctx context.Context) (Report, error) {
	all := r.Wanted()
	if err := r.clients.Until(ctx, func(s lab.Status) bool { return s.Acked == all }); err != nil {
		return Report{}, err
	}
	const group = "webhook:" + Queue
	err := lab.Until(ctx, "the queue is not empty", func(ctx context.Context) (bool, error) {
		lag, pending, err := r.cluster.Redis.Group(ctx, streamKey, group)
		return err == nil && lag == 0 && pending == 0, err
	})
	if err != nil {
		return Report{}, err
	}
	s, err := readSent(r.clients.Log)
	if err != nil {
		return Report{}, err
	}
	report := r.receiver.settled(s, r.each())
	report.Letters, err = r.cluster.Redis.Number(ctx, "XLEN", streamKey+":dead")
	return report, err
}
