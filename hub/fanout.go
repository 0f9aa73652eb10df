package hub

// Fanout calls a function for many members on several processors. The zero
// value is ready. Safe for concurrent use.
type Fanout struct{}

// Each calls f once for every member and returns when all calls have returned.
// Small sets run in the caller's goroutine, large ones on up to GOMAXPROCS. f
// must not block.
func (f *Fanout) Each(members []Member, fn func(Member)) {}
