package redis

// probe comes after all that was published before it on all channels.
func (f *feed) probe(p push) {
	numbers, err := parseNumbers(string(p.body[2:]))
	if err != nil || len(numbers) != 3 {
		f.link.health.foreign(f.link, "probe", errPush)
		return
	}
	if p.epoch != f.in.counter {
		f.lose("a probe of another epoch came")
		return
	}
	f.reached(numbers[1], numbers[2])
}

// reached says that all up to a number came before on a connection in step.
func (f *feed) reached(seq, stamp uint64) {
	switch {
	case seq <= f.number:
	case f.chain == nil:
		f.repair(f.number) // it did not
	default:
		f.reach(seq, stamp) // of the followed channels nothing is missing, see check
	}
}

// check compares the last numbers of channels with what came. Like the probe it
// comes after all that it counts.
func (f *feed) check(p push) {
	numbers, err := parseNumbers(string(p.body[2:]))
	if err != nil {
		f.link.health.foreign(f.link, "check", err)
		return
	}
	channels := f.link.checked(numbers[0])
	if len(channels) != len(numbers)-1 {
		return // of an earlier round
	}
	for i, channel := range channels {
		if last := f.chain[channel]; last != 0 && numbers[i+1] > last {
			f.repair(last)
			return
		}
	}
}

// mark puts the feed in step with a connection: from the mark on, nothing is
// missing on it.
func (f *feed) mark(conn uint64, p push) {
	m, err := parseMark(p.body)
	if err != nil {
		f.link.health.foreign(f.link, "mark", err)
		return
	}
	if f.in != nil && m.epoch.counter < f.in.counter {
		return
	}
	in := f.link.adopt(m.epoch)
	if in.epoch != m.epoch {
		return // later still: its mark is to come
	}
	fresh := f.conn != conn
	switch {
	case f.in == nil:
		f.in = in
		f.begin(m)
	case f.in.epoch != in.epoch:
		if !f.cross(in, m) {
			return
		}
	case fresh && m.seq > f.number && !f.repair(f.number):
		return
	case !fresh:
		f.reached(m.seq, m.stamp)
	}
	f.conn = conn
	f.settle()
	if fresh {
		f.link.health.subscriptionUp()
		f.adoptOrphans()
		f.link.pending.abandon(in.counter)
	}
}

// adoptOrphans delivers messages without a number whose echo went with the last
// connection.
func (f *feed) adoptOrphans() {
	for _, p := range f.link.pending.orphaned() {
		if q := f.link.pending.claimGhost(p.count); q != nil {
			f.deliverOwn(q, f.in.epoch, 0)
		}
	}
}
