package sourcetest

import (
	"testing"

	"github.com/seed-09a96375/belfry"
)

// TestTheLedgerFindsFaults is the negative control: each way to be wrong is found.
func TestTheLedgerFindsFaults(t *testing.T) {
	sent := []Sent{{"a", "1"}, {"a", "2"}, {"b", "3"}}
	rec := func(key, value string) *belfry.Record { return &belfry.Record{Key: key, Value: []byte(value)} }
	for name, test := range map[string]struct {
		got   []*belfry.Record
		again bool
		good  bool
	}{
		"all":               {[]*belfry.Record{rec("a", "1"), rec("b", "3"), rec("a", "2")}, false, true},
		"lost":              {[]*belfry.Record{rec("a", "1"), rec("b", "3")}, true, false},
		"twice":             {[]*belfry.Record{rec("a", "1"), rec("a", "1"), rec("a", "2"), rec("b", "3")}, false, false},
		"twice, as it may":  {[]*belfry.Record{rec("a", "1"), rec("a", "1"), rec("a", "2"), rec("b", "3")}, true, true},
		"out of order":      {[]*belfry.Record{rec("a", "2"), rec("a", "1"), rec("b", "3")}, true, false},
		"one ID for two":    {[]*belfry.Record{{ID: "x", Key: "a", Value: []byte("1")}, {ID: "x", Key: "a", Value: []byte("2")}, rec("b", "3")}, false, false},
		"under another key": {[]*belfry.Record{rec("b", "1"), rec("a", "2"), rec("b", "3")}, false, false},
	} {
		l := NewLedger()
		for _, r := range test.got {
			l.Done(r)
		}
		if err := l.Verdict(sent, test.again); (err == nil) != test.good {
			t.Errorf("%s: verdict is %v", name, err)
		}
	}
}
