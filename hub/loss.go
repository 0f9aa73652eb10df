package hub

// WatchLoss is OnLoss for one more front of the namespace: f is called after what
// was set before. OnLoss afterwards would replace both.
func (sp *Space) WatchLoss(f func()) {
	for {
		before := sp.onLoss.Load()
		both := f
		if before != nil {
			both = func() { (*before)(); f() }
		}
		if sp.onLoss.CompareAndSwap(before, &both) {
			return
		}
	}
}
