package main

import (
	"context"
	"net/http"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/bodynotclosed"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/dbpool"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/heldconnection"
	"github.com/otel-goroutine/otel-goroutine/examples/leaks/sharedconnection"
)

// networkPatterns returns the mistakes with connections.
func networkPatterns(e *environment) []pattern {
	db, repairedDB := dbpool.OpenMemory(2, "Ada", "Grace"), dbpool.OpenMemory(2, "Ada", "Grace")
	news := make([]byte, 4<<20) // a few of them fill the buffers of a connection
	hung := e.hung.Addr().String()
	return []pattern{
		{
			func(context.Context) { _, _ = bodynotclosed.RateLeaky(http.DefaultClient, e.bank) },
			func(ctx context.Context) { _, _ = bodynotclosed.RateRepaired(ctx, http.DefaultClient, e.bank) },
		},
		{
			func(context.Context) { _, _ = heldconnection.GreetingLeaky(hung) },
			func(ctx context.Context) { _, _ = heldconnection.GreetingRepaired(ctx, hung, patience) },
		},
		{
			func(context.Context) { _ = sharedconnection.TellLeaky(e.viewer, news) },
			func(context.Context) { _ = sharedconnection.TellRepaired(e.otherViewer, news, patience) },
		},
		{
			func(ctx context.Context) { e.post(ctx, "/leaky/mail?to=a@example.com") },
			func(ctx context.Context) { e.post(ctx, "/repaired/mail?to=a@example.com") },
		},
		{
			func(context.Context) { _, _ = dbpool.NameLeaky(db, 0) },
			func(ctx context.Context) { _, _ = dbpool.NameRepaired(ctx, repairedDB, 0) },
		},
	}
}
