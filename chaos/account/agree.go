package account

// agree counts, for each room, what came in another order than on the client
// that got most. What that client did not get is left out of the comparison; its
// place within its stream is checked elsewhere.
func (b *Book) agree() {
	for room := range b.rooms() {
		reference := b.longest(room)
		place := make(map[id]int, len(reference))
		for i, m := range reference {
			place[m] = i
		}
		for n := range b.clients {
			for _, s := range b.clients[n].sessions {
				b.compare(n, room, s.rooms[room], place)
			}
		}
	}
}

func (b *Book) rooms() map[int]bool {
	all := make(map[int]bool)
	for _, room := range b.plan.Streams {
		all[room] = true
	}
	return all
}

func (b *Book) longest(room int) (best []id) {
	for n := range b.clients {
		for _, s := range b.clients[n].sessions {
			if len(s.rooms[room]) > len(best) {
				best = s.rooms[room]
			}
		}
	}
	return best
}

func (b *Book) compare(client, room int, got []id, place map[id]int) {
	top := -1
	for _, m := range got {
		at, known := place[m]
		switch {
		case !known:
		case at < top:
			b.report.example(&b.report.Disagreed, "client %d: %d of stream %d, room %d, in another order than elsewhere",
				client, m.number, m.stream, room)
		default:
			top = at
		}
	}
}
