package detect

import (
	"runtime"
	"testing"
	"time"
)

// ordinary returns a typical process of 40 groups: a pool and listeners, requests, sessions of half
// an hour, and a leak. The groups of processes differ.
func ordinary(process ID) *scene {
	s := newScene()
	s.process = process
	base := process * 1000
	for i := range ID(16) { // requests
		s.sessions(base+i, base+500+i/4, 2, 0.5, 800)
	}
	for i := range ID(16) { // what stays: listeners, tickers, pools
		s.residents(base+20+i, base+520+i/2, 1+int(i)%8)
	}
	for i := range ID(5) { // sessions
		s.sessions(base+40+i, base+540+i, 1, 30, 800)
	}
	s.leak(base+50, base+550, 10, 0, 800)
	s.leak(base+51, base+551, 3, 0, 800)
	s.sessions(base+51, base+551, 1, 60, 800)
	return s
}

// BenchmarkGroups measures the heap of a group, in 200 ordinary processes after twelve hours, and the
// size and time of encoding it.
func BenchmarkGroups(b *testing.B) {
	const processes = 200
	kinds := make([][][]Reading, 0, 4) // of a few processes, a look every ten minutes
	for k := range ID(4) {
		s := ordinary(k + 1)
		var looks [][]Reading
		for now := 0; now < 720; now += 10 {
			looks = append(looks, s.at(now))
		}
		kinds = append(kinds, looks)
	}
	for b.Loop() {
		c := testConfig()
		c.MaxGroups = 1_000_000
		d := New(c)
		before := heapInUse()
		for look := range kinds[0] {
			for p := range ID(processes) {
				readings := append([]Reading(nil), kinds[p%4][look]...)
				for i := range readings {
					r := &readings[i]
					r.Process, r.Group, r.Entry = p, r.Group+p*1_000_000, r.Entry+p*1_000_000
				}
				d.Observe(int64(look)*int64(time.Minute), readings)
			}
		}
		b.ReportMetric(float64(heapInUse()-before)/float64(d.Groups()), "B/group")
		begin := time.Now()
		kept := d.Clone()
		b.ReportMetric(float64(time.Since(begin).Nanoseconds())/float64(d.Groups()), "ns/group-copied")
		begin = time.Now()
		state, err := kept.AppendBinary(nil)
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(time.Since(begin).Nanoseconds())/float64(d.Groups()), "ns/group-kept")
		b.ReportMetric(float64(len(state))/float64(d.Groups()), "B/group-kept")
		levels := 0
		for _, g := range d.groups {
			for i := range g.levels {
				if g.levels[i].evidence != nil {
					levels++
				}
			}
		}
		b.ReportMetric(float64(levels)/float64(d.Groups()), "evidences/group")
		runtime.KeepAlive(d)
	}
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// BenchmarkObserve measures the time of a reading.
func BenchmarkObserve(b *testing.B) {
	s := ordinary(1)
	r := newRig(b)
	n, readings := 0, 0
	var looks [][]Reading
	for now := range 400 {
		looks = append(looks, s.at(now))
	}
	for b.Loop() {
		if n%len(looks) == 0 {
			r.d = New(testConfig())
		}
		look := looks[n%len(looks)]
		r.d.Observe(int64(n), look)
		readings += len(look)
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(readings), "ns/reading")
}
