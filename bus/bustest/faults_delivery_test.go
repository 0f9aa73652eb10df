package bustest

import (
	"bytes"
	"context"
	"slices"
	"sync"

	"github.com/seed-09a96375/belfry"
)

// onNode1 alters what comes to the second node.
func onNode1(alter func(n *faultyNode, m *belfry.Message, nth int)) *faulty {
	return &faulty{deliver: func(n *faultyNode, m *belfry.Message, nth int) {
		if n.ID() != "node1" {
			n.Node.Deliver(m)
			return
		}
		alter(n, m, nth)
	}}
}

// changed gives the second node a changed copy of each message.
func changed(change func(m *belfry.Message)) func() *faulty {
	return func() *faulty {
		return onNode1(func(n *faultyNode, m *belfry.Message, _ int) {
			c := *m
			change(&c)
			n.Node.Deliver(&c)
		})
	}
}

func deliveryControls() []control {
	once, content, big := "every node gets every message once", "messages arrive unchanged", "big and binary messages arrive unchanged"
	return []control{
		{"drops a message", once, "came 0 times", func() *faulty {
			var drop sync.Once
			return onNode1(func(n *faultyNode, m *belfry.Message, nth int) {
				dropped := false
				if m.Origin != n.ID() && nth > 40 {
					drop.Do(func() { dropped = true })
				}
				if !dropped {
					n.Node.Deliver(m)
				}
			})
		}},
		{"doubles a message", once, "came 2 times", func() *faulty {
			return onNode1(func(n *faultyNode, m *belfry.Message, nth int) {
				n.Node.Deliver(m)
				if nth == 40 {
					n.Node.Deliver(m)
				}
			})
		}},
		{"invents a message", once, "never published", func() *faulty {
			return onNode1(func(n *faultyNode, m *belfry.Message, nth int) {
				n.Node.Deliver(m)
				if nth == 40 {
					n.Node.Deliver(event("ghost", m.Target))
				}
			})
		}},
		{"publishes behind the caller's back", "publish returns after its own deliver", "before its own Deliver", func() *faulty {
			f := &faulty{}
			f.publish = func(ctx context.Context, l *faultyLink, m *belfry.Message) error {
				f.extra.Go(func() { _ = l.keeper.Publish(ctx, m) })
				return nil
			}
			return f
		}},
		{"loses the origin", content, "origin", changed(func(m *belfry.Message) { m.Origin = "" })},
		{"loses the except rooms", content, "Target", changed(func(m *belfry.Message) { m.Target.Except = nil })},
		{"loses a flag", content, "NoCompress", changed(func(m *belfry.Message) { m.NoCompress = false })},
		{"carries numbers as floats", content, "Request", changed(func(m *belfry.Message) {
			m.Request = belfry.RequestID(float64(m.Request))
		})},
		{"makes data compact", content, "Data", changed(func(m *belfry.Message) {
			m.Data = bytes.ReplaceAll(m.Data, []byte(" "), nil)
		})},
		{"cuts data", big, "Data", changed(func(m *belfry.Message) { m.Data = m.Data[:min(len(m.Data), 1<<19)] })},
		{"takes attachments for text", big, "Attachments", changed(func(m *belfry.Message) {
			m.Attachments = slices.Clone(m.Attachments)
			for i, a := range m.Attachments {
				m.Attachments[i] = bytes.ToValidUTF8(a, nil)
			}
		})},
		{"loses empty attachments", big, "Attachments", changed(func(m *belfry.Message) {
			m.Attachments = slices.DeleteFunc(slices.Clone(m.Attachments), func(a []byte) bool { return len(a) == 0 })
		})},
	}
}
