package growth

// Goroutines older than a growth are no evidence about its goroutines. For example, connections
// between the instances of a fleet live for days. When the fleet is scaled out, there is growth,
// and there are many goroutine-hours without an exit, but of the old connections; the new ones
// have not been observed for long enough.

// knot is a level at a time.
type knot struct {
	at    float64 // in segments of the shortest horizon
	level float64
}

// maxKnots is the most knots of a history: those of the shortest horizon, half as many of each
// longer one, and the present.
const maxKnots = segmentsPerHorizon + (horizonCount-1)*(segmentsPerHorizon/2+1) + 1

// history appends the known levels to knots, latest first, from each horizon as far back as it
// reaches. The floor of a rising level is the level at the start of its segment. Levels are at
// least base. No knot is before from, when the first goroutine can be aged: the last knot there
// has the level before it.
func (f *floors) history(base, from float64, knots []knot) []knot {
	oldest := int(f.closed)
	knots = append(knots, knot{float64(oldest), max(base, float64(f.current))})
	for i := range f.scales {
		known := min(int(f.closed>>i), segmentsPerHorizon)
		end := int(f.closed >> i << i)
		for k := range known {
			at := end - (k+1)<<i
			if at >= oldest {
				continue
			}
			oldest = at
			level := max(base, float64(f.scales[i][segmentsPerHorizon-1-k]))
			knots = append(knots, knot{max(from, float64(at)), level})
			if float64(at) <= from {
				return knots
			}
		}
	}
	return knots
}

// persistence is the least pace of earlier growth, as a share of the later pace, for the growth to
// have begun earlier. A leak with six expected arrivals in that time falls below it by chance in
// one case of sixty (Poisson).
const persistence = 0.25

// sinceBeginning truncates a history, latest first, to the knots since a growth began: at the start
// of the horizon over which it was found, or earlier if the level already grew before.
func sinceBeginning(r *Rules, found rise, knots []knot) []knot {
	now, horizon := knots[0], float64(found.horizon/segment(r))
	begin := 0
	for begin+1 < len(knots) && now.at-knots[begin].at < horizon {
		begin++
	}
	for begin+1 < len(knots) && goesOn(knots[begin+1], knots[begin], now) {
		begin++
	}
	return knots[:begin+1]
}

// paceOf returns the arrivals per hour of a history, latest first. Over a whole history the time of
// a single observation matters little. Over the shortest horizon, of six observations, a single late
// one makes the pace look a third too fast.
func paceOf(r *Rules, knots []knot) float64 {
	first, last := knots[len(knots)-1], knots[0]
	return (last.level - first.level) / max(1, last.at-first.at) / segment(r).Hours()
}

// goesOn reports whether the growth from one knot to the present had already begun at an earlier
// one.
func goesOn(earlier, from, now knot) bool {
	grown, lasted := from.level-earlier.level, from.at-earlier.at
	return grown*(now.at-from.at) >= persistence*(now.level-from.level)*lasted
}

// hours returns the goroutine-hours of the arrivals since the earliest knot.
func (f *floors) hours(r *Rules, knots []knot, now int64) float64 {
	length := segment(r)
	base := knots[len(knots)-1].level
	lasted := 1 - float64(f.end-now)/float64(length) // of the current segment
	area := lasted * (knots[0].level - base)
	for i := 1; i < len(knots); i++ {
		b, a := knots[i-1], knots[i]
		area += (b.at - a.at) * ((a.level+b.level)/2 - base)
	}
	return area * length.Hours()
}

// place converts a time, in Unix ns, to the time scale of knots.
func (f *floors) place(r *Rules, at int64) float64 {
	return float64(f.closed) + 1 - float64(f.end-at)/float64(segment(r))
}

// timeOf returns the time of a knot, in Unix ns.
func (f *floors) timeOf(r *Rules, k knot) int64 {
	return f.end - int64((float64(f.closed)+1-k.at)*float64(segment(r)))
}
