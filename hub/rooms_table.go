package hub

import "hash/maphash"

// table hands out rows by number. It grows page by page, so that rows never
// move and little is reserved that is not used; it does not shrink. The zero
// value is empty.
type table[T any] struct {
	pages []*[pageRows]T
	free  []uint32 // rows that were given back
	used  uint32   // rows ever taken
}

// pageRows makes a page of members fill a size class of the allocator, 2,048 bytes
// with its header of 8.
const pageRows = 42

// take returns a row that is not in use. Its content is what give left there.
func (t *table[T]) take() uint32 {
	if n := len(t.free); n > 0 {
		row := t.free[n-1]
		t.free = t.free[:n-1]
		return row
	}
	if int(t.used) == len(t.pages)*pageRows {
		t.pages = append(t.pages, new([pageRows]T))
	}
	t.used++
	return t.used - 1
}

func (t *table[T]) give(row uint32)  { t.free = append(t.free, row) }
func (t *table[T]) at(row uint32) *T { return &t.pages[row/pageRows][row%pageRows] }
func (t *table[T]) len() uint32      { return t.used }
func (t *table[T]) inUse() int       { return int(t.used) - len(t.free) }

// swapDelete removes s[i] in constant time; the last element takes its place.
// It gives memory back once three quarters of it are unused.
func swapDelete[T any](s []T, i uint32) []T {
	last := len(s) - 1
	s[i] = s[last]
	s = s[:last]
	if cap(s) >= 16 && len(s) <= cap(s)/4 {
		s = append(make([]T, 0, cap(s)/2), s...)
	}
	return s
}

// index finds row numbers by a string that is kept in the row: open addressing
// with linear probing, 8 bytes a cell and no pointers. A Go map from string to
// uint32 takes three times as much (see BenchmarkIndexMemory), and every key in
// it is a pointer to the garbage collector. The zero value is empty.
type index struct {
	seed  maphash.Seed
	cells []cell // a power of two, at most four fifths in use
	used  int
}

// cell is free if next is 0; else next-1 is the row.
type cell struct{ hash, next uint32 }

const minCells = 8

// find returns the row whose key, as keyOf tells it, is key.
func (x *index) find(key string, keyOf func(row uint32) string) (uint32, bool) {
	if x.used == 0 {
		return 0, false
	}
	h := x.hash(key)
	for i := x.home(h); x.cells[i].next != 0; i = x.after(i) {
		c := x.cells[i]
		if c.hash == h && keyOf(c.next-1) == key {
			return c.next - 1, true
		}
	}
	return 0, false
}

// insert adds a key that is not there.
func (x *index) insert(key string, row uint32) {
	if x.cells == nil {
		x.seed = maphash.MakeSeed()
		x.cells = make([]cell, minCells)
	}
	if (x.used+1)*5 > len(x.cells)*4 {
		x.resize(len(x.cells) * 2)
	}
	x.put(cell{x.hash(key), row + 1})
	x.used++
}

// remove takes out a key that is there.
func (x *index) remove(key string, row uint32) {
	want := cell{x.hash(key), row + 1}
	i := x.home(want.hash)
	for x.cells[i] != want {
		i = x.after(i)
	}
	x.close(i)
	x.used--
	if len(x.cells) > minCells && x.used*8 < len(x.cells) {
		x.resize(len(x.cells) / 2)
	}
}

// close frees cell i and moves up those behind it that probing would no longer
// find.
func (x *index) close(i uint32) {
	mask := uint32(len(x.cells) - 1)
	for j := x.after(i); x.cells[j].next != 0; j = x.after(j) {
		// The cell may move from j back to i unless its home lies between.
		if (j-x.home(x.cells[j].hash))&mask >= (j-i)&mask {
			x.cells[i] = x.cells[j]
			i = j
		}
	}
	x.cells[i] = cell{}
}

func (x *index) resize(n int) {
	old := x.cells
	x.cells = make([]cell, n)
	for _, c := range old {
		if c.next != 0 {
			x.put(c)
		}
	}
}

func (x *index) put(c cell) {
	i := x.home(c.hash)
	for x.cells[i].next != 0 {
		i = x.after(i)
	}
	x.cells[i] = c
}

func (x *index) hash(key string) uint32  { return uint32(maphash.String(x.seed, key)) }
func (x *index) home(hash uint32) uint32 { return hash & uint32(len(x.cells)-1) }
func (x *index) after(i uint32) uint32   { return (i + 1) & uint32(len(x.cells)-1) }
