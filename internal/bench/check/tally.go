package check

// Tally sums verdicts. The zero value is empty.
type Tally struct {
	// Expected is how many deliveries the messages that were sent must make.
	Expected uint64 `json:"expected"`
	// Received is how many of them were made, each counted once.
	Received uint64 `json:"received"`
	// Lost is Expected less Received.
	Lost uint64 `json:"lost"`
	// Duplicated counts arrivals of a message that the receiver already had.
	Duplicated uint64 `json:"duplicated"`
	// OutOfOrder counts messages that arrived after a later one of the same
	// sender.
	OutOfOrder uint64 `json:"out_of_order"`
	// Misrouted counts messages that reached a client they were not meant for,
	// or that nobody sent.
	Misrouted uint64 `json:"misrouted"`
	// Corrupt counts messages that arrived with other content than was sent.
	Corrupt uint64 `json:"corrupt"`
	// Disconnected counts clients that lost their connection during the run.
	// What they missed is Lost.
	Disconnected uint64 `json:"disconnected"`
}

// Count takes one verdict.
func (t *Tally) Count(v Verdict) {
	switch v {
	case Fresh:
		t.Received++
	case Late:
		t.Received++
		t.OutOfOrder++
	case Duplicate:
		t.Duplicated++
	}
}

// Expect settles one stream whose source sent that many messages.
func (t *Tally) Expect(s *Stream, sent uint32) {
	lost, alien := s.Missing(sent)
	t.Expected += uint64(sent)
	t.Lost += lost
	t.Misrouted += alien
	t.Received -= alien
}

// Add adds another tally.
func (t *Tally) Add(o Tally) {
	t.Expected += o.Expected
	t.Received += o.Received
	t.Lost += o.Lost
	t.Duplicated += o.Duplicated
	t.OutOfOrder += o.OutOfOrder
	t.Misrouted += o.Misrouted
	t.Corrupt += o.Corrupt
	t.Disconnected += o.Disconnected
}

// Clean reports whether every message arrived, once, in order, unchanged.
func (t *Tally) Clean() bool {
	return t.Lost|t.Duplicated|t.OutOfOrder|t.Misrouted|t.Corrupt|t.Disconnected == 0
}
