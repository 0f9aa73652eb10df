package hub

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

func TestIndexAgainstMap(t *testing.T) {
	var x index
	keys := []string{} // by row, "" if the row is free
	want := map[string]uint32{}
	keyOf := func(row uint32) string { return keys[row] }
	pick := rand.New(rand.NewPCG(5, 6))
	for i := range 40_000 {
		key := fmt.Sprint("key", pick.IntN(3000))
		row, ok := x.find(key, keyOf)
		if w, in := want[key]; in != ok || w != row {
			t.Fatalf("step %d: find %s: %d %v, want %d %v", i, key, row, ok, w, in)
		}
		grow := i < 15_000 || i > 30_000 // shrinks in the middle
		switch {
		case !ok && (grow || pick.IntN(8) == 0):
			keys = append(keys, key)
			want[key] = uint32(len(keys) - 1)
			x.insert(key, want[key])
		case ok && (!grow || pick.IntN(8) == 0):
			x.remove(key, row)
			delete(want, key)
		}
		if x.used != len(want) || x.used*5 > len(x.cells)*4 {
			t.Fatalf("step %d: %d used of %d cells, want %d", i, x.used, len(x.cells), len(want))
		}
	}
}

func TestIndexShrinks(t *testing.T) {
	var x index
	for row := range uint32(1000) {
		x.insert(fmt.Sprint(row), row)
	}
	for row := range uint32(1000) {
		x.remove(fmt.Sprint(row), row)
	}
	if len(x.cells) != minCells {
		t.Errorf("%d cells for nothing", len(x.cells))
	}
}

func TestTableReusesRows(t *testing.T) {
	var tab table[int]
	for range 100 {
		*tab.at(tab.take()) = 1
	}
	tab.give(7)
	tab.give(9)
	if n := tab.inUse(); n != 98 {
		t.Errorf("%d rows in use, want 98", n)
	}
	if a, b := tab.take(), tab.take(); a+b != 16 || tab.len() != 100 {
		t.Errorf("took rows %d and %d of %d", a, b, tab.len())
	}
}

func TestSwapDeleteGivesMemoryBack(t *testing.T) {
	s := make([]int, 1000)
	for len(s) > 1 {
		s = swapDelete(s, 0)
	}
	if cap(s) > 16 {
		t.Errorf("one element holds %d", cap(s))
	}
}
