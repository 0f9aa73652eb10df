package memory

import "time"

// window holds values until they expire. All have the same time to live, about, so
// that they expire in the order in which they came. The zero value is empty.
type window[T any] struct {
	values map[string]T
	order  []expiry
}

type expiry struct {
	at   time.Time
	name string
}

func (w *window[T]) get(now time.Time, name string) (T, bool) {
	for len(w.order) > 0 && !now.Before(w.order[0].at) {
		delete(w.values, w.order[0].name)
		w.order = w.order[1:]
	}
	v, ok := w.values[name]
	return v, ok
}

// put stores a value under a name that get does not find.
func (w *window[T]) put(until time.Time, name string, v T) {
	if w.values == nil {
		w.values = make(map[string]T)
	}
	w.values[name] = v
	w.order = append(w.order, expiry{until, name})
}
