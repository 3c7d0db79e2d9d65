// Command closing measures with simulated deploys how often leaks are closed by the right version, and how soon.
//
//	go -C bench run ./closing -cases 10000
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
)

func main() {
	cases := flag.Int("cases", 2000, "number of deploys to simulate")
	services := flag.Bool("services", true, "whether the detector judges services as a whole")
	flag.Parse()
	simulate(*cases, *services).print(os.Stdout)
}

// result is the result of one trial.
type result struct {
	scenario scenario
	renamed  bool
	required required
	restored bool
	closed   []closing
}

type results []result

func simulate(cases int, judged bool) results {
	all := make([][]result, runtime.GOMAXPROCS(0))
	var workers sync.WaitGroup
	for w := range all {
		workers.Go(func() {
			for i := w; i < cases; i += len(all) {
				t := newTrial(uint64(i), judged)
				if t.play() {
					all[w] = append(all[w], result{t.scenario, t.renamed, t.required, !t.restored.IsZero(), t.closed})
				}
			}
		})
	}
	workers.Wait()
	return slices.Concat(all...)
}

// figures summarizes several trials.
type figures struct {
	trials, wrong int
	// due is the number of trials that were repaired for long enough, closed the number of those whose leak was
	// closed.
	due, closed int
	// rule and seen are the times until then over the required times.
	rule, seen ratios
}

func (r results) figures(keep func(result) bool) (f figures) {
	for _, trial := range r {
		if !keep(trial) {
			continue
		}
		f.trials++
		due := trial.restored && trial.required.rule > 0 && trial.required.seen > 0
		if due {
			f.due++
		}
		right := false
		for _, c := range trial.closed {
			if !c.right {
				f.wrong++
			} else if due && !right {
				right = true
				f.closed++
				f.rule = append(f.rule, float64(c.took)/float64(trial.required.rule))
				f.seen = append(f.seen, float64(c.took)/float64(trial.required.seen))
			}
		}
	}
	slices.Sort(f.rule)
	slices.Sort(f.seen)
	return f
}

// ratios are sorted.
type ratios []float64

// within returns the share of due trials with a ratio of at most most.
func (r ratios) within(most float64, due int) float64 {
	n := 0
	for n < len(r) && r[n] <= most {
		n++
	}
	return float64(n) / float64(due)
}

func (r ratios) format(due int) string {
	if len(r) == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f %.2f %3.0f%%", r[len(r)/2], r[len(r)*9/10], 100*r.within(1.5, due))
}

func (r results) print(to io.Writer) {
	fmt.Fprintln(to, "time over required time: median and 90th percentile of those closed, and share of those due that were closed within 1.5")
	fmt.Fprintf(to, "%-40s %7s %7s %7s %7s  %-14s  %s\n", "", "deploys", "wrong", "due", "closed", "true rate", "rate as seen")
	line := func(name string, keep func(result) bool) {
		f := r.figures(keep)
		fmt.Fprintf(to, "%-40s %7d %7d %7d %7d  %-14s  %s\n", name, f.trials, f.wrong, f.due, f.closed, f.rule.format(f.due), f.seen.format(f.due))
	}
	for _, s := range scenarios() {
		line(s.name, func(x result) bool { return x.scenario.name == s.name })
	}
	counted := func(x result) bool { return !x.scenario.apart }
	line("all but the last", counted)
	line("  names stay (targets)", func(x result) bool { return counted(x) && !x.renamed })
	line("  names change (pods)", func(x result) bool { return counted(x) && x.renamed })
}
