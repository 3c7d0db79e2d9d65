package origins

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otel-goroutine/otel-goroutine/internal/exectrace"
	"github.com/otel-goroutine/otel-goroutine/internal/origin"
	"github.com/otel-goroutine/otel-goroutine/internal/stack"
)

// score counts correct results, and lists the wrong ones.
type score struct {
	right, of int
	wrong     []string
}

func (s *score) count(right bool, what string, args ...any) {
	s.of++
	if right {
		s.right++
	} else {
		s.wrong = append(s.wrong, fmt.Sprintf(what, args...))
	}
}

// scores has the properties of origins that have a minimum rate.
type scores struct {
	caught, creator, own, foreign, alone, waker, unwoken, strict, near score
}

// check logs all scores, and fails the test for scores below their minimum.
func (s *scores) check(t *testing.T) {
	t.Helper()
	for _, required := range []struct {
		name  string
		score *score
		least float64
	}{
		{"leaked birth in the trace", &s.caught, 0.9},
		{"creator as debug=2 has it, of leaked births", &s.creator, 1},
		{"line of the service's own code", &s.own, 0.95},
		{"own lines that are the service's", &s.foreign, 1},
		{"several callers named for a library's healthy goroutines", &s.alone, 1},
		{"waker, if one is named", &s.waker, 0.9},
		{"no waker where timers and the network wake, or nothing does", &s.unwoken, 1},
		{"class", &s.strict, 0.85},
		{"class, or one near to it", &s.near, 0.95},
	} {
		t.Logf("%3d of %3d  %s", required.score.right, required.score.of, required.name)
		if required.score != &s.alone { // there may be no such group
			assert.NotZero(t, required.score.of, required.name)
		}
		assert.GreaterOrEqual(t, float64(required.score.right), required.least*float64(required.score.of),
			"%s:\n%s", required.name, strings.Join(required.score.wrong, "\n"))
		for _, wrong := range required.score.wrong {
			t.Logf("            not: %s", wrong)
		}
	}
}

// TestOriginsOfRealLeaks traces services with all example leaks and their repairs, and compares the origin of
// each leak with the source.
func TestOriginsOfRealLeaks(t *testing.T) {
	var all scores
	for _, b := range builds() {
		t.Run(b.name, func(t *testing.T) {
			examples := program{folder: filepath.Join("..", "..", "examples", "leaks"), command: ".", module: project + "/examples/leaks"}
			all.add(b.name, observe(t, b.compile(t, examples), "-every", "50ms"), expectedOfExamples(t))
			service := program{folder: "service", command: ".", module: project + "/e2e/origins/service"}
			all.add(b.name, observe(t, b.compile(t, service)), expectedOfService(t))
		})
	}
	all.check(t)
}

// add counts the results for a service.
func (s *scores) add(build string, l observation, want []expected) {
	for i, o := range l.origins {
		for _, c := range o.Creators {
			if c.Own.Function != "" {
				s.foreign.count(isOfService(c.Own), "%s: %+v", build, c.Own)
			}
		}
		if o.Caught == origin.SiblingsOnly && len(o.Creators[0].Stack) > 0 && !isOfService(o.Creators[0].Stack[0]) {
			s.alone.count(len(o.Creators) > 1, "%s: %+v", build, o.Creators)
		}
		if e := find(want, o.Signature); e != nil {
			s.addLeak(build, l, i, e)
		}
	}
	for _, e := range want {
		s.caught.count(slices.ContainsFunc(l.origins, func(o origin.Origin) bool {
			return find([]expected{e}, o.Signature) != nil && o.Caught == origin.LeakedBirth
		}), "%s: %s %s", build, e.state, e.function)
	}
}

// isOfService reports whether a frame is in one of the services, whatever the name of their module.
func isOfService(f stack.Frame) bool {
	return strings.HasPrefix(f.Function, "main.") || strings.Contains(f.File, "/leaky.go") || strings.Contains(f.File, "/repaired.go") ||
		strings.Contains(f.Function, "/instrument.")
}

func find(want []expected, s stack.Signature) *expected {
	for i, e := range want {
		if e.state == s.State && strings.HasSuffix(s.Blamed.Function, e.function) && isIn(s.Blamed.File, e.file) {
			return &want[i]
		}
	}
	return nil
}

// isIn reports whether path ends with file. The folder of the service has another name in a copy.
func isIn(path, file string) bool {
	return strings.HasSuffix(path, strings.TrimPrefix(file, "service/"))
}

// addLeak counts the results for one leak.
func (s *scores) addLeak(build string, l observation, i int, e *expected) {
	o, name := l.origins[i], fmt.Sprintf("%s: %s %s", build, e.state, e.function)
	s.strict.count(o.Class == e.class, "%s: %q instead of %q", name, o.Class, e.class)
	s.near.count(o.Class == e.class || slices.Contains(e.near, o.Class), "%s: %q instead of %q", name, o.Class, e.class)
	for _, w := range o.Wakers {
		s.waker.count(e.waker != "" && isIn(at(w.Own), e.waker[1:]), "%s: %s instead of %s", name, at(w.Own), e.waker)
	}
	if e.waker == "" {
		s.unwoken.count(len(o.Wakers) == 0, "%s: %+v", name, o.Wakers)
	}
	if o.Caught != origin.LeakedBirth {
		return
	}
	s.addCreators(name, l, i, e)
}

// addCreators compares the go statements of leaked goroutines with debug=2, and the lines of the service with
// the source.
func (s *scores) addCreators(name string, l observation, i int, e *expected) {
	statements := make(map[string]bool)
	for _, start := range l.read.Starts {
		for _, a := range start.Alive {
			created, known := l.createdBy[a.ID]
			if a.Group != i || !known || start.Launch != exectrace.ByGo {
				continue
			}
			statements[created] = true
			s.creator.count(at(start.Creator[0]) == created, "%s: %s instead of %s", name, at(start.Creator[0]), created)
		}
	}
	for _, c := range l.origins[i].Creators {
		if len(e.own) == 0 {
			s.own.count(c.Launch == exectrace.ByTimer && c.Own.Function == "" && len(c.Stack) == 0, "%s: %+v", name, c)
			continue
		}
		s.own.count(slices.ContainsFunc(e.own, func(own string) bool { return isIn(at(c.Own), own[1:]) }),
			"%s: %s instead of %s", name, at(c.Own), e.own)
		s.creator.count(len(c.Stack) > 0 && statements[at(c.Stack[0])], "%s: %+v", name, c.Stack)
	}
}
