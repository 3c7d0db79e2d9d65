package main

import (
	"context"
	"sync"
	"time"
)

// takeOrders takes a hundred orders a second until ctx is done. One in fifty leaks three
// goroutines, each in another way.
func takeOrders(ctx context.Context) {
	var orders sync.WaitGroup
	defer orders.Wait()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		orders.Add(1)
		go takeOrder(&orders, i%50 == 0)
	}
}

// takeOrder takes an order. It does not leak itself.
func takeOrder(orders *sync.WaitGroup, leak bool) {
	defer orders.Done()
	checkStock(leak)
	if leak {
		go awaitReceipt(make(chan string))
		go followDelivery(time.Second)
	}
}

// patience is how long checkStock waits for an answer.
const patience = 250 * time.Millisecond

// checkStock asks the warehouse, and gives up after patience.
func checkStock(slow bool) {
	answer := make(chan int)
	go askWarehouse(answer, slow)
	select {
	case <-answer:
	case <-time.After(patience):
	}
}

// askWarehouse gets the answer for checkStock.
//
// Mistake: the channel is unbuffered, so once checkStock has given up, the send blocks
// forever. A buffer of one value fixes it.
func askWarehouse(answer chan<- int, slow bool) {
	if slow {
		time.Sleep(2 * patience)
	}
	answer <- 1
}

// awaitReceipt waits for the receipt of a payment.
//
// Mistake: no receipt is ever sent, and there is no context to cancel.
func awaitReceipt(receipt <-chan string) {
	<-receipt
}

// followDelivery polls the position of a delivery.
//
// Mistake: the loop has no exit, so it continues after the delivery has arrived. It moves
// between two lines and never returns from its entry function.
func followDelivery(every time.Duration) {
	for {
		time.Sleep(every)
		<-time.After(every)
	}
}
