package forgottencancel

import "context"

type tripRepaired struct {
	positions <-chan int
	cancel    context.CancelFunc
}

func startRepaired(ctx context.Context) *tripRepaired {
	ctx, cancel := context.WithCancel(ctx)
	positions := make(chan int)
	go trackRepaired(ctx, positions)
	return &tripRepaired{positions: positions, cancel: cancel}
}

// Close ends the trip.
func (t *tripRepaired) Close() { t.cancel() }

func trackRepaired(ctx context.Context, positions chan<- int) {
	defer close(positions)
	for position := 0; ; position++ {
		select {
		case positions <- position:
		case <-ctx.Done():
			return
		}
	}
}

// ArrivedRepaired is ArrivedLeaky without the leak.
//
// Fix: defer Close on the line after the start.
func ArrivedRepaired(ctx context.Context, destination int) bool {
	trip := startRepaired(ctx)
	defer trip.Close()
	for position := range trip.positions {
		if position == destination {
			return true
		}
	}
	return false
}
