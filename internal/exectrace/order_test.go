package exectrace

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func TestOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, fewGoroutines, fewGoroutines + 1, 10_000} {
		for _, bits := range []int{1, 11, 12, 22, 23, 63} {
			list := make([]stack.Goroutine, n)
			for i := range list {
				list[i] = stack.Goroutine{ID: random.Uint64() >> (64 - bits), Group: int32(i)}
			}
			want := slices.Clone(list)
			slices.SortStableFunc(want, func(a, b stack.Goroutine) int { return cmp.Compare(a.ID, b.ID) })
			order(list)
			ids := func(of []stack.Goroutine) (all []uint64) {
				for _, g := range of {
					all = append(all, g.ID)
				}
				return all
			}
			if n > fewGoroutines && !slices.Equal(list, want) || !slices.Equal(ids(list), ids(want)) {
				t.Errorf("%d goroutines with IDs of %d bits are not in order", n, bits)
			}
		}
	}
}
