// Package forgottencancel shows a context that is never cancelled.
package forgottencancel

import "context"

// tripLeaky follows a courier.
type tripLeaky struct {
	positions <-chan int
	cancel    context.CancelFunc
}

func startLeaky(ctx context.Context) *tripLeaky {
	ctx, cancel := context.WithCancel(ctx)
	positions := make(chan int)
	go trackLeaky(ctx, positions)
	return &tripLeaky{positions: positions, cancel: cancel}
}

// Close ends the trip.
func (t *tripLeaky) Close() { t.cancel() }

// trackLeaky itself is correct: it returns when its context is done.
func trackLeaky(ctx context.Context, positions chan<- int) {
	for position := 0; ; position++ {
		select { // leaks here
		case positions <- position:
		case <-ctx.Done():
			return
		}
	}
}

// ArrivedLeaky reports whether a courier arrives at the destination.
//
// Mistake: it returns on arrival without closing the trip. So the context is only
// cancelled with its parent, which is that of the whole service. Linters do not
// report it, since cancel is stored in a field.
func ArrivedLeaky(ctx context.Context, destination int) bool {
	trip := startLeaky(ctx)
	for position := range trip.positions {
		if position == destination {
			return true
		}
	}
	trip.Close()
	return false
}
