package finding

// headcount sums up numbers of goroutines by process. A finding may have an entry and lines of that
// entry, which count the same goroutines, so only the larger number is added. The zero value is
// empty.
type headcount struct {
	parts     map[part]overlap
	byProcess map[string]float64
}

// part is the goroutines of a process that have an entry in common.
type part struct{ process, entry string }

// overlap is the number of goroutines at lines of an entry, and of the entry.
type overlap struct{ lines, entry float64 }

func (o overlap) count() float64 { return max(o.lines, o.entry) }

// add adds n goroutines, and returns how many of them were not counted before.
func (h *headcount) add(process, entry string, isEntry bool, n float64) float64 {
	if h.parts == nil {
		h.parts, h.byProcess = make(map[part]overlap), make(map[string]float64)
	}
	key := part{process, entry}
	now := h.parts[key]
	before := now.count()
	if isEntry {
		now.entry += n
	} else {
		now.lines += n
	}
	h.parts[key] = now
	added := now.count() - before
	h.byProcess[process] += added
	return added
}

// addRow adds a number of a row.
func (h *headcount) addRow(r *record, w *row, n float64) float64 {
	place := r.Places[w.Place]
	return h.add(w.Process, place.Entry, place.IsEntry(), n)
}

func (h *headcount) total() float64 {
	total := 0.0
	for _, n := range h.byProcess {
		total += n
	}
	return total
}
