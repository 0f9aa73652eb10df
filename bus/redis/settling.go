package redis

import "sync"

// begins is where in the log channels begin that have just been followed. What the
// log has before that is not delivered: members of the room, who come from another
// node, may have had it there. The feed may be behind, or about to read the log from
// further back, so it looks here before its queue tells it.
type begins struct {
	mu sync.Mutex
	at map[string]place
}

func (b *begins) init() { b.at = make(map[string]place) }

func (b *begins) set(channel string, at place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at[channel] = at
}

func (b *begins) forget(channel string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.at, channel)
}

// after reports whether a number of an epoch comes before the channel begins.
func (b *begins) after(channel string, counter, number uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, ok := b.at[channel]
	return ok && at.counter == counter && number <= at.number
}

// reached takes out and returns those that begin in this epoch or an earlier one.
func (b *begins) reached(counter uint64) map[string]place {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make(map[string]place, len(b.at))
	for channel, at := range b.at {
		if at.counter <= counter {
			all[channel] = at
			delete(b.at, channel)
		}
	}
	return all
}

// settle takes over where channels begin that have been followed, if that is in the
// epoch of the feed.
func (f *feed) settle() {
	for channel, at := range f.begins.reached(f.in.counter) {
		if last, ok := f.chain[channel]; ok && last < at.number && f.in.counter == at.counter {
			f.chain[channel] = at.number
		}
		f.passOver(channel)
	}
}

// passOver tells the publishers on a channel that wait for what does not come any
// more, since the channel was followed only after it: nobody here was to get it.
func (f *feed) passOver(channel string) {
	for _, p := range f.link.pending.passed(channel, f.in.epoch, f.chain[channel]) {
		f.link.stamp(p.message, p.epoch, p.seq)
		close(p.delivered)
	}
}
