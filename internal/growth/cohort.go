package growth

// Whoever came before the growth says nothing of those who make it. Connections to the
// instances of a fleet live for days, and when the fleet is scaled out there is growth
// beside any number of hours in which nobody has left. That the old ones stay is known;
// the new ones have yet to be watched for long enough.

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
// rises.
func (f *floors) history(knots []knot) []knot {
	oldest := int(f.closed)
	knots = append(knots, knot{float64(oldest), float64(f.current)})
	for i := range f.scales {
		known := min(int(f.closed>>i), segments)
		end := int(f.closed >> i << i)
		for k := range known {
			if at := end - (k+1)<<i; at < oldest {
				oldest = at
				knots = append(knots, knot{float64(at), float64(f.scales[i][segments-1-k])})
			}
		}
	}
	return knots
}

// persistence is the share of its later pace with which growth must have gone on before
// for its beginning to be looked for further back. A leak of which six are expected in
// such a time falls below that by chance in one case of sixty (Poisson).
const persistence = 0.25

// sinceBeginning returns the levels since a growth began, the latest first, in room. It
// began with the horizon over which it was found, or earlier if there was growth before
// that already.
func (f *floors) sinceBeginning(r *Rules, found rise, room []knot) []knot {
	knots := f.history(room)
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
