package growth

// Those who came before a growth are no evidence about those who make it. Connections
// to the instances of a fleet live for days, and when the fleet is scaled out there is
// growth beside any number of hours in which nobody has left. That the old ones stay is
// known; the new ones have yet to be watched for long enough.

// knot is a level at a time.
type knot struct {
	at    float64 // in segments of the shortest horizon
	level float64
}

// maxKnots is how many levels there are at most: those of the shortest horizon, half as
// many of each longer one, and the present.
const maxKnots = segments + (horizons-1)*(segments/2+1) + 1

// history appends the levels that are known, the latest first: those of each horizon as
// far back as it reaches. A floor is the level at the begin of its segment, if it only
// rises. No level is below base, and none before from, which is when the first
// goroutine can be aged: at that time it is the level of before.
func (f *floors) history(base, from float64, knots []knot) []knot {
	oldest := int(f.closed)
	knots = append(knots, knot{float64(oldest), max(base, float64(f.current))})
	for i := range f.scales {
		known := min(int(f.closed>>i), segments)
		end := int(f.closed >> i << i)
		for k := range known {
			at := end - (k+1)<<i
			if at >= oldest {
				continue
			}
			oldest = at
			level := max(base, float64(f.scales[i][segments-1-k]))
			knots = append(knots, knot{max(from, float64(at)), level})
			if float64(at) <= from {
				return knots
			}
		}
	}
	return knots
}

// persistence is the share of its later pace with which growth must have gone on before
// for its beginning to be looked for further back. A leak of which six are expected in
// such a time falls below that by chance in one case of sixty (Poisson).
const persistence = 0.25

// sinceBeginning cuts a history, the latest first, to the levels since a growth began.
// It began with the horizon over which it was found, or earlier if there was growth
// before that already.
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

// goesOn tells whether the growth from a knot to the present went on before, since the
// knot that is earlier.
func goesOn(earlier, from, now knot) bool {
	grown, lasted := from.level-earlier.level, from.at-earlier.at
	return grown*(now.at-from.at) >= persistence*(now.level-from.level)*lasted
}

// hours returns for how long those who have come since the earliest knot have been
// there, summed up, in hours.
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

// place returns where a time stands among the knots, in segments.
func (f *floors) place(r *Rules, at int64) float64 {
	return float64(f.closed) + 1 - float64(f.end-at)/float64(segment(r))
}

// timeOf returns the time of a knot, in Unix ns.
func (f *floors) timeOf(r *Rules, k knot) int64 {
	return f.end - int64((float64(f.closed)+1-k.at)*float64(segment(r)))
}
