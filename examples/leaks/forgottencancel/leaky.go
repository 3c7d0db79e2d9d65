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

// trackLeaky is itself in order: it ends with its context.
func trackLeaky(ctx context.Context, positions chan<- int) {
	for position := 0; ; position++ {
		select { // leaks here
		case positions <- position:
		case <-ctx.Done():
			return
		}
	}
}

// ArrivedLeaky tells whether a courier has got to the destination.
//
// Mistake: as soon as the courier is there it returns without closing the
// trip. The context is then cancelled with its parent, which is that of the whole
// service. The linter does not see it, since cancel is kept in a field.
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
