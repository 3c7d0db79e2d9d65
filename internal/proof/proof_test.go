package proof

import (
	"slices"
	"testing"

	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func groupOf(id stack.ID, count int) stack.Group {
	return stack.Group{Signature: stack.Signature{ID: id, State: stack.StateChanSend, Entry: "main.work"}, Count: count}
}

func TestTwoProfilesRunningMustAgree(t *testing.T) {
	for _, test := range []struct {
		name           string
		counts, proven []int
	}{
		{"a leak", []int{3, 3, 6, 9}, []int{0, 3, 3, 6}},
		{"named once", []int{5, 0, 0}, []int{0, 0, 0}},
		{"a wobble that is none", []int{0, 1, 0, 1, 0}, []int{0, 0, 0, 0, 0}},
		{"a wobble of one", []int{1, 1, 0, 1, 1}, []int{0, 1, 1, 1, 1}},
		{"a wobble of many", []int{5, 5, 4, 5, 6, 5, 4, 5}, []int{0, 5, 5, 5, 5, 5, 5, 5}},
		{"gone", []int{5, 5, 0, 0}, []int{0, 5, 5, 0}},
		{"fewer", []int{9, 9, 4, 3, 3}, []int{0, 9, 9, 4, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := New(10)
			for i, count := range test.counts {
				s := &stack.Snapshot{}
				if count > 0 {
					s.Groups = []stack.Group{groupOf(1, count)}
				}
				got := 0
				for _, r := range p.Observe(s) {
					if !r.Other {
						got = r.Count
					}
				}
				if got != test.proven[i] {
					t.Errorf("profile %d: %d are proved, want %d", i+1, got, test.proven[i])
				}
			}
		})
	}
}

func TestRows(t *testing.T) {
	mainParked := stack.Group{Signature: stack.Signature{ID: 9, State: stack.StateSelectNoCases, Entry: "main.main"}, Count: 1}
	mainWaits := stack.Group{Signature: stack.Signature{ID: 8, State: stack.StateChanReceive, Entry: "main.main"}, Count: 2}
	s := &stack.Snapshot{Stackless: 1, Groups: []stack.Group{
		groupOf(1, 3), mainParked, groupOf(2, 7), mainWaits,
	}}
	p := New(2)
	if rows := p.Observe(s); !slices.Equal(rows, []Row{{Other: true}}) {
		t.Errorf("after the first: %v", rows)
	}
	// The two largest; others: the third and the one without a stack, but not main in select{}.
	want := []Row{
		{Signature: groupOf(2, 7).Signature, Count: 7},
		{Signature: groupOf(1, 3).Signature, Count: 3},
		{Other: true, Count: 3},
	}
	if rows := p.Observe(s); !slices.Equal(rows, want) {
		t.Errorf("after the second: %v", rows)
	}
}

func TestWhatIsGoneIsForgotten(t *testing.T) {
	p := New(10)
	for id := range stack.ID(1000) {
		p.Observe(&stack.Snapshot{Groups: []stack.Group{groupOf(id, 1)}})
	}
	if n := len(p.groups); n > 2 {
		t.Errorf("%d groups are remembered", n)
	}
}
