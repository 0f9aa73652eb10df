package socketio

import (
	"fmt"
	"slices"
)

// parent makes namespaces on demand. Its children share its handlers.
type parent struct {
	*Namespace
	allow    func(name string, auth Auth) bool
	existing []*Namespace // guarded by Server.mu
}

func newParent(s *Server, i int, allow func(string, Auth) bool) *parent {
	p := &parent{allow: allow}
	n := &Namespace{name: fmt.Sprintf("/_%d", i), server: s, handlers: &handlers{}, children: p}
	n.Broadcast = Broadcast{nsp: n}
	p.Namespace = n
	return p
}

// child returns p's namespace of that name, made if it does not exist, with one
// more joining.
func (s *Server) child(p *parent, name string) *Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.namespaces[name]; n != nil {
		n.joining.Add(1)
		return n
	}
	n := newNamespace(s, name, p.handlers, true)
	n.joining.Add(1)
	s.namespaces[name] = n
	p.existing = append(p.existing, n)
	return n
}

// each returns the children that exist.
func (p *parent) each() []*Namespace {
	p.server.mu.RLock()
	defer p.server.mu.RUnlock()
	return slices.Clone(p.existing)
}

// vacate removes a dynamic namespace that has become empty, if that is wanted.
func (s *Server) vacate(n *Namespace) {
	if !n.dynamic || !s.opts.RemoveEmptyNamespaces || n.space.Len() > 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.namespaces[n.name] != n || n.space.Len() > 0 || n.joining.Load() > 0 {
		return
	}
	delete(s.namespaces, n.name)
	s.hub.Drop(n.space)
	for _, p := range s.parents {
		p.existing = slices.DeleteFunc(p.existing, func(c *Namespace) bool { return c == n })
	}
}
