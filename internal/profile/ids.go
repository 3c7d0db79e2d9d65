package profile

import (
	"slices"
	"sort"
)

// ids finds an element by its ID. In what Go writes the IDs are 1, 2, 3 and so
// on, and nothing need be kept; but the format permits any numbers in any order.
type ids struct {
	count int
	// sorted holds the IDs, ascending once they are arranged; empty as long as
	// they are in order.
	sorted []uint64
}

func (t *ids) reset() { t.count, t.sorted = 0, t.sorted[:0] }

// add takes in the ID of the next of total elements.
func (t *ids) add(id uint64, total int) {
	t.count++
	if len(t.sorted) == 0 {
		if id == uint64(t.count) {
			return
		}
		t.sorted = emptied(t.sorted, total)
		for i := 1; i < t.count; i++ {
			t.sorted = append(t.sorted, uint64(i))
		}
	}
	t.sorted = append(t.sorted, id)
}

// index returns which element has the ID.
func (t *ids) index(id uint64) (int, bool) {
	if len(t.sorted) == 0 {
		return int(id) - 1, id-1 < uint64(t.count)
	}
	return slices.BinarySearch(t.sorted, id)
}

// arrange sorts elements by their IDs, so that both have the same index. It
// returns false if two have the same ID.
func arrange[T any](t *ids, elements []T) bool {
	if len(t.sorted) == 0 {
		return true
	}
	sort.Sort(byID[T]{t.sorted, elements})
	for i := 1; i < len(t.sorted); i++ {
		if t.sorted[i] == t.sorted[i-1] {
			return false
		}
	}
	return true
}

type byID[T any] struct {
	ids      []uint64
	elements []T
}

func (s byID[T]) Len() int           { return len(s.ids) }
func (s byID[T]) Less(i, j int) bool { return s.ids[i] < s.ids[j] }
func (s byID[T]) Swap(i, j int) {
	s.ids[i], s.ids[j] = s.ids[j], s.ids[i]
	s.elements[i], s.elements[j] = s.elements[j], s.elements[i]
}
