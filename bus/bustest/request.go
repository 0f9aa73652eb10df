package bustest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
)

func requestChecks() []check {
	return []check{
		{
			name:   "replies reach the node that asked",
			clause: "Reply sends an answer to the node that asked",
			nodes:  3, run: checkReplies,
		},
		{
			name:   "a reply to a node that is gone is no error",
			clause: "A node that is gone is no error",
			nodes:  2, run: checkReplyToNobody,
		},
	}
}

const asked = belfry.RequestID(7)

// checkReplies lets all nodes ask at once, with the same number; all answer all.
func checkReplies(ctx context.Context, c *cluster) error {
	var answering sync.WaitGroup
	defer answering.Wait()
	failed := make(chan error, len(c.members)*len(c.members))
	for _, m := range c.members {
		m.during(func(msg *belfry.Message) {
			if msg.Request == 0 {
				return
			}
			answering.Go(func() {
				if err := m.link.Reply(ctx, msg.Origin, answer(m.id, msg)); err != nil {
					failed <- fmt.Errorf("node %s replies to %s: %w", m.id, msg.Origin, err)
				}
			})
		})
	}
	for _, m := range c.members {
		question := event("question of "+string(m.id), belfry.Target{})
		question.Kind, question.Request = belfry.ServerSideEmit, asked
		if err := m.publish(ctx, question); err != nil {
			return err
		}
	}
	for _, m := range c.members {
		enough := func() bool { return len(m.replies) >= len(c.members) }
		if err := m.until(ctx, "all replies", enough); err != nil {
			return err
		}
	}
	answering.Wait()
	if _, err := c.everywhere(ctx, belfry.Target{}); err != nil { // time for those that went astray
		return err
	}
	for _, m := range c.members {
		if err := c.answered(m); err != nil {
			return fmt.Errorf("node %s: %w", m.id, err)
		}
	}
	select {
	case err := <-failed:
		return err
	default:
		return nil
	}
}

// answer is different for each pair of nodes.
func answer(from belfry.NodeID, question *belfry.Message) *belfry.Reply {
	return &belfry.Reply{
		Request:     question.Request,
		From:        from,
		Body:        []byte(fmt.Sprintf(`{"to": %q}`, idOf(question))),
		Attachments: [][]byte{{0, 0xff}, []byte(from)},
		Err:         "cannot: " + string(from),
	}
}

// answered compares what m got with one answer of each node.
func (c *cluster) answered(m *member) error {
	got := m.answers()
	if len(got) != len(c.members) {
		return fmt.Errorf("%d replies to one question, want %d", len(got), len(c.members))
	}
	for _, node := range c.members {
		i := slices.IndexFunc(got, func(r *belfry.Reply) bool { return r.From == node.id })
		if i < 0 {
			return fmt.Errorf("no reply from %s", node.id)
		}
		question := event("question of "+string(m.id), belfry.Target{})
		question.Request = asked
		if err := sameReply(got[i], answer(node.id, question)); err != nil {
			return fmt.Errorf("reply from %s: %w", node.id, err)
		}
	}
	return nil
}

func sameReply(got, want *belfry.Reply) error {
	switch {
	case got.Request != want.Request:
		return fmt.Errorf("request %d, want %d", got.Request, want.Request)
	case string(got.Body) != string(want.Body):
		return fmt.Errorf("body %q, want %q", got.Body, want.Body)
	case got.Err != want.Err:
		return fmt.Errorf("error %q, want %q", got.Err, want.Err)
	case !slices.EqualFunc(got.Attachments, want.Attachments, slices.Equal):
		return fmt.Errorf("attachments %q, want %q", got.Attachments, want.Attachments)
	}
	return nil
}

func checkReplyToNobody(ctx context.Context, c *cluster) error {
	gone := c.members[1]
	if err := gone.close(ctx); err != nil {
		return err
	}
	for _, to := range []belfry.NodeID{gone.id, "never heard of"} {
		err := c.members[0].link.Reply(ctx, to, &belfry.Reply{Request: asked, From: c.members[0].id, Body: []byte("1")})
		if err != nil {
			return errors.Join(fmt.Errorf("reply to %q", to), err)
		}
	}
	return nil
}
