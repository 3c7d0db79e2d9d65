package auto_test

import (
	"context"
	"log"

	"github.com/otel-goroutine/otel-goroutine/instrument/auto"
)

// serve stands for what the service does.
func serve() {}

// A service needs the blank import alone. It imports the package by name to have its last
// interval exported before it ends.
func Example() {
	defer func() {
		if err := auto.Shutdown(context.Background()); err != nil {
			log.Print(err)
		}
	}()
	serve()
}
