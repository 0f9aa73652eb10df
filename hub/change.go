package hub

import "github.com/seed-09a96375/belfry"

// OnChange sets who is told of every change of presence or state of a room with
// members on this node, once they have been told. f is called in the order of the
// changes and must not block.
func (sp *Space) OnChange(f func(room belfry.Room)) { sp.onChange.Store(&f) }

// changed tells of m if it is such a change. Those messages are the bus's own, so
// they have no node that they come from.
func (sp *Space) changed(m *belfry.Message) {
	if f := sp.onChange.Load(); f != nil && m.Origin == "" && len(m.Target.Rooms) == 1 {
		(*f)(m.Target.Rooms[0])
	}
}
