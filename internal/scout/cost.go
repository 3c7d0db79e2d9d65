package scout

import "time"

// What a trace costs the process that is traced, in CPU time. Measured on Go 1.26.8, two
// shared cores: 7 to 24 ns a byte (BenchmarkTracedServer of the receiver), and 0.75 µs for each
// goroutine that it lists, as it does when it begins and in every second. Beginning and ending
// takes 2 ms, mostly for the garbage of the runtime's buffers (BenchmarkOriginsTrace of
// instrument).
const (
	perTrace     = 2 * time.Millisecond
	perByte      = 25 * time.Nanosecond
	perGoroutine = 750 * time.Nanosecond
)

// cost returns the CPU time that a trace has taken of the process and of those who read it. One
// that was refused has taken none of the process.
func (p Plan) cost(r Result) time.Duration {
	if r.Size == 0 {
		return r.Reading
	}
	lists := 1 + (p.Duration+time.Second-1)/time.Second
	return perTrace + time.Duration(r.Size)*perByte + time.Duration(p.goroutines)*perGoroutine*lists + r.Reading
}

// purse is what may be spent on the traces of a process. It fills with time, and must hold
// what the dearest trace so far has cost before there is another one.
type purse struct {
	left    time.Duration // CPU time
	dearest time.Duration
	filled  time.Time
}

// mostSaved is the time for which a process that is not traced saves up.
const mostSaved = time.Hour

func (p *purse) fill(budget float64, at time.Time) {
	if p.filled.IsZero() {
		p.filled = at
	}
	passed := max(at.Sub(p.filled), 0)
	p.filled = p.filled.Add(passed)
	most := max(time.Duration(budget*float64(mostSaved)), p.dearest)
	p.left = min(p.left+time.Duration(budget*float64(passed)), most)
}

// suffices tells whether another trace may be taken. Nothing is known of the first one's cost.
func (p *purse) suffices() bool { return p.left > 0 && p.left >= p.dearest }

func (p *purse) pay(cost time.Duration) {
	p.left -= cost
	p.dearest = max(p.dearest, cost)
}
