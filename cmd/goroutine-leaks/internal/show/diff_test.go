package show

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/cmd/goroutine-leaks/internal/target"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

func TestCompare(t *testing.T) {
	group := func(state stack.State, function string, line, n int) stack.Group {
		return stack.Group{Signature: stack.Signature{State: state, Blamed: stack.Frame{Function: function, File: "/a.go", Line: line}, Entry: "main.e"}, Count: n}
	}
	traced := func(groups []stack.Group, ids ...uint64) target.Look {
		s := &stack.Snapshot{Source: stack.SourceTrace, Groups: groups}
		for i, id := range ids {
			s.Goroutines = append(s.Goroutines, stack.Goroutine{ID: id, Group: int32(min(i, len(groups)-1))})
		}
		return target.Look{Snapshot: s, From: target.Trace}
	}
	text := func(groups ...stack.Group) target.Look {
		return target.Look{Snapshot: &stack.Snapshot{Groups: groups}, From: target.Text, Lacks: "a text lacks"}
	}
	later := traced([]stack.Group{group("select", "main.a", 1, 5)}, 1, 2, 97, 98, 99)
	later.HighestID, later.Procs = 99, 4
	profiled := func(at time.Time) target.Look {
		return target.Look{Snapshot: &stack.Snapshot{Groups: []stack.Group{group("select", "main.a", 1, 2)}, At: at}, From: target.Profile}
	}
	for name, d := range map[string]*Difference{
		"traces_reversed":   Compare(later, traced([]stack.Group{group("select", "main.a", 1, 2)}, 1, 2)),
		"profiles_reversed": Compare(profiled(began.Add(time.Hour)), profiled(began)),
		"traces": Compare(
			traced([]stack.Group{group("select", "main.a", 1, 2), group("sleep", "main.b", 2, 1)}, 1, 2, 3),
			traced([]stack.Group{group("select", "main.a", 1, 5)}, 1, 2, 7, 8, 9),
		),
		// The states are not compared, since a debug=1 text has none.
		"text": Compare(text(group("", "main.a", 1, 2)), traced([]stack.Group{group("select", "main.a", 1, 5), group("sleep", "main.a", 1, 1)}, 1)),
		"same": Compare(text(group("", "main.a", 1, 2)), text(group("", "main.a", 1, 2))),
	} {
		var b bytes.Buffer
		if err := errors.Join(d.Text(&b, 80), d.JSON(&b)); err != nil {
			t.Fatal(err)
		}
		compare(t, "diff_"+name+".txt", b.String())
	}
}
