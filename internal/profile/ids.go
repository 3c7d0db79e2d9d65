package profile

import (
	"slices"
	"sort"
)

// idTable maps the IDs of elements to their indexes. Go writes the IDs 1, 2, 3 and so on,
// which need no table; but the format permits any numbers in any order.
type idTable struct {
	count int
	// sorted holds the IDs, ascending after arrange. It is empty while the IDs are
	// 1, 2, 3 and so on.
	sorted []uint64
}

func (t *idTable) reset() { t.count, t.sorted = 0, t.sorted[:0] }

// add adds the ID of the next element, of total elements.
func (t *idTable) add(id uint64, total int) {
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

// index returns the index of the element with an ID.
func (t *idTable) index(id uint64) (int, bool) {
	if len(t.sorted) == 0 {
		return int(id) - 1, id-1 < uint64(t.count)
	}
	return slices.BinarySearch(t.sorted, id)
}

// arrange sorts t and elements by ID, so that their indexes agree. It returns false if two
// elements have the same ID.
func arrange[T any](t *idTable, elements []T) bool {
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
