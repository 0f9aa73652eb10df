package socketio

import "encoding/json"

// SetData keeps a value with the socket. FetchSockets shows it to all nodes and
// recovery restores it, both as JSON.
func (s *Socket) SetData(v any) {
	s.mu.Lock()
	s.more().data = v
	s.mu.Unlock()
	s.change(func(*session) {})
	s.holdSessionSoon()
}

// Data returns the value that SetData kept; false if there is none, or not of
// that type. After recovery, what was kept as a T comes back as one.
func Data[T any](s *Socket) (T, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var zero T
	if s.x == nil {
		return zero, false
	}
	if v, ok := s.x.data.(T); ok {
		return v, true
	}
	raw, ok := s.x.data.(restored)
	if !ok {
		return zero, false
	}
	var v T
	if json.Unmarshal(raw, &v) != nil {
		return zero, false
	}
	s.x.data = v
	return v, true
}

// restored is the data of a recovered socket before Data has given it a type.
type restored json.RawMessage

func (r restored) MarshalJSON() ([]byte, error) { return r, nil }
