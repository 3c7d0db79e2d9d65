package origin

import (
	"fmt"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// tally counts goroutines by their creator. The zero value is empty.
type tally struct {
	order []creatorKey
	by    map[creatorKey]*Creator
	// most is the largest count of a single stack of each creator: that stack is reported.
	most  map[creatorKey]int
	total int
}

// creatorKey identifies a creator: the way of starting, the go statement, and the line of the
// service's own code.
type creatorKey struct {
	launch         exectrace.Launch
	statement, own stack.Frame
}

// add counts n goroutines of a start.
func (t *tally) add(start *exectrace.Start, code *codeOwner, n int) {
	if t.by == nil {
		t.by, t.most = make(map[creatorKey]*Creator), make(map[creatorKey]int)
	}
	key := creatorKey{launch: start.Launch}
	if start.Launch == exectrace.ByGo {
		key.statement, key.own = lineOf(start).statement, code.ownOf(start)
	}
	c := t.by[key]
	if c == nil {
		c = &Creator{Launch: start.Launch, Own: key.own}
		t.by[key] = c
		t.order = append(t.order, key)
	}
	if n > t.most[key] {
		t.most[key], c.Stack = n, start.Creator
	}
	c.Count += n
	t.total += n
}

// creators returns the creators with the largest shares.
func (t *tally) creators() []Creator {
	var all []Creator
	for _, key := range t.order {
		c := *t.by[key]
		c.Share = float64(c.Count) / float64(t.total)
		all = append(all, c)
	}
	return largest(all, func(c Creator) int { return c.Count }, func(c Creator) string {
		return fmt.Sprint(c.Launch, c.Own, c.Stack)
	})
}

// isConclusive reports whether the creators of healthy goroutines may be reported for leaked ones. If
// the go statement is the service's own, they share it. If it is in a library or a launcher, only
// the callers differ, and a single one of them need not be the one that leaks: it was so in 15 of
// 24 leaks.
func (t *tally) isConclusive(code *codeOwner) bool {
	for _, key := range t.order {
		if t.by[key].Count > 0 && (key.launch != exectrace.ByGo || code.isOwn(key.statement) && !code.launchers[key.statement]) {
			return true
		}
	}
	callers := make(map[stack.Frame]bool)
	for _, key := range t.order {
		callers[key.own] = true
	}
	return len(callers) >= minDistinct
}
