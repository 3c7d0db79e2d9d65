// Command closing measures how often the version that is said to have closed a leak did,
// and how soon that is said, over simulated deploys.
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
	"time"
)

func main() {
	cases := flag.Int("cases", 2000, "how many deploys to simulate")
	services := flag.Bool("services", true, "whether the detector judges services as a whole")
	flag.Parse()
	simulate(*cases, *services).print(os.Stdout)
}

// result is what came of many trials.
type result struct {
	scenario scenario
	renamed  bool
	within   time.Duration // asked by the rule, 0 if there was no time for that
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
					all[w] = append(all[w], result{t.scenario, t.renamed, t.asked, !t.restored.IsZero(), t.closed})
				}
			}
		})
	}
	workers.Wait()
	return slices.Concat(all...)
}

// figures returns how many trials there were, how many closings were wrong, how many of the
// repaired ones whose time was asked were closed, and how long that took over what was asked.
func (r results) figures(of func(result) bool) (trials, wrong, due, closed int, ratios []float64) {
	for _, one := range r {
		if !of(one) {
			continue
		}
		trials++
		asked := one.restored && one.within > 0
		if asked {
			due++
		}
		right := false
		for _, c := range one.closed {
			if !c.right {
				wrong++
			} else if asked && !right {
				right = true
				closed++
				ratios = append(ratios, float64(c.took)/float64(one.within))
			}
		}
	}
	slices.Sort(ratios)
	return trials, wrong, due, closed, ratios
}

func (r results) print(to io.Writer) {
	fmt.Fprintf(to, "%-40s %7s %7s %7s %7s  %s\n", "", "deploys", "wrong", "to be", "closed", "time over what the rule asks: median, 90%, within 1.5")
	line := func(name string, of func(result) bool) {
		trials, wrong, due, closed, ratios := r.figures(of)
		fmt.Fprintf(to, "%-40s %7d %7d %7d %7d  ", name, trials, wrong, due, closed)
		if len(ratios) > 0 {
			fast := 0
			for fast < len(ratios) && ratios[fast] <= 1.5 {
				fast++
			}
			fmt.Fprintf(to, "%.2f %.2f %.0f%%", ratios[len(ratios)/2], ratios[len(ratios)*9/10], 100*float64(fast)/float64(len(ratios)))
		}
		fmt.Fprintln(to)
	}
	for _, s := range scenarios() {
		line(s.name, func(x result) bool { return x.scenario.name == s.name })
	}
	counted := func(x result) bool { return !x.scenario.apart }
	line("all but the last", counted)
	line("  names stay (targets)", func(x result) bool { return counted(x) && !x.renamed })
	line("  names change (pods)", func(x result) bool { return counted(x) && x.renamed })
}
