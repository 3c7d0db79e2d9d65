package pagetest

import (
	"fmt"
	"strconv"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/finding"
	"github.com/otel-goroutine/otel-goroutine/internal/history"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

func place(state, function, file string, line int, entry string) finding.Place {
	return finding.Place{State: state, Function: function, File: file, Line: line, Entry: entry}
}

// healthyGroups returns groups that every service has.
func healthyGroups() []Group {
	return []Group{
		{Place: place("io_wait", "net/http.(*persistConn).readLoop", "/usr/local/go/src/net/http/transport.go", 2325, "net/http.(*persistConn).readLoop"), Count: 12, Exits: 6},
		{Place: place("select", "net/http.(*persistConn).writeLoop", "/usr/local/go/src/net/http/transport.go", 2523, "net/http.(*persistConn).writeLoop"), Count: 12},
		{Place: place("io_wait", "net/http.(*connReader).backgroundRead", "/usr/local/go/src/net/http/server.go", 690, "net/http.(*connReader).backgroundRead"), Count: 30},
		{Place: place("select", "database/sql.(*DB).connectionOpener", "/usr/local/go/src/database/sql/sql.go", 1261, "database/sql.OpenDB.gowrap1"), Count: 1},
		{Place: place("select", "google.golang.org/grpc/internal/transport.(*controlBuffer).get", "/home/dev/go/pkg/mod/google.golang.org/grpc@v1.83.2/internal/transport/controlbuf.go", 420, "google.golang.org/grpc/internal/transport.newHTTP2Client.func6"), Count: 8},
		{Place: place("sleep", "github.com/acme/shop/cache.(*Cache).sweep", "/src/shop/cache/cache.go", 41, "github.com/acme/shop/cache.(*Cache).sweep"), Count: 2},
	}
}

// Shop plays a day of a shop and returns its end. There are three services that leak, one that is
// healthy, one that was watched for half an hour only, one that cannot be scraped, and one that
// no detector judges.
func Shop(to Sink) time.Time {
	order := Group{
		Place: place("chan_send", "github.com/acme/shop/order.ask.func1", "/src/shop/order/order.go", 88, "github.com/acme/shop/order.ask.func1"),
		Count: 3, Leaks: 4, After: 14 * time.Hour, ID: "3e0e28e30f2a7cd8", Severity: finding.Probable,
	}
	audit := Group{
		Place: place("mutex", "github.com/acme/shop/audit.(*Log).write", "/src/shop/audit/log.go", 158, "github.com/acme/shop/audit.(*Log).write"),
		Count: 1, Leaks: 40, After: 2 * time.Hour, ID: "91c5fe0d4470ab12", Severity: finding.Confirmed,
	}
	feed := Group{
		Place: place("select", "github.com/nats-io/nats.go.(*Conn).flusher", "/home/dev/go/pkg/mod/github.com/nats-io/nats.go@v1.48.0/nats.go", 4122, "github.com/nats-io/nats.go.(*Conn).connect.gowrap1"),
		Count: 4, Leaks: 2, After: 10 * time.Hour, ID: "07aa19be55d2c3f4", Severity: finding.Suspected, Exits: 1,
	}
	services := []Service{
		{Name: "shop", Instances: 4, Groups: append(healthyGroups(), order), Versions: []string{"1.8.1", "1.8.2"}, Every: 14 * time.Hour},
		{Name: "audit", Instances: 2, Groups: append(healthyGroups(), audit), Versions: []string{"0.4.0"}},
		{Name: "feed", Instances: 3, Groups: append(healthyGroups(), feed)},
		{Name: "checkout", Instances: 6, Groups: healthyGroups(), Versions: []string{"2.0.0"}},
		{Name: "mailer", Instances: 2, Groups: healthyGroups(), Begins: 24*time.Hour - 28*time.Minute},
		{Name: "billing", Instances: 2, Groups: healthyGroups(), Down: 2, Reason: "unauthorized"},
		{Name: "search", Instances: 3, Groups: healthyGroups(), Down: 1, Reason: "timeout", Unjudged: true},
	}
	end := Play(to, services, 24*time.Hour, 4*time.Minute)
	to.ObserveOrigin(finding.Service{Name: "shop"}, orderOrigin(order.Place, end), end)
	to.ObserveBatch(end, func(observe func(finding.Point)) { observeOrigin(order, end, observe) })
	return end
}

func orderOrigin(p finding.Place, at time.Time) history.Origin {
	return history.Origin{
		Place: p, Caught: "leaked_birth", At: at,
		Text: "Goroutines of github.com/acme/shop/order.ask.func1 that leak are started at github.com/acme/shop/order.ask (/src/shop/order/order.go:81): 8 of 383 started in 1s",
		Stacks: "created by, 8, 100%:\ngithub.com/acme/shop/order.ask(...)\n\t/src/shop/order/order.go:81\n" +
			"github.com/acme/shop/order.(*Server).Checkout(...)\n\t/src/shop/order/server.go:212\n" +
			"net/http.HandlerFunc.ServeHTTP(...)\n\t/usr/local/go/src/net/http/server.go:2322\n\n" +
			"woken by, 375, 100%:\ngithub.com/acme/shop/order.ask(...)\n\t/src/shop/order/order.go:92\n" +
			"github.com/acme/shop/order.(*Server).Checkout(...)\n\t/src/shop/order/server.go:212\n",
	}
}

// observeOrigin observes the metrics of an origin.
func observeOrigin(g Group, at time.Time, observe func(finding.Point)) {
	resource := pairs{"service.name", "shop", "service.instance.id", "shop-0"}.get
	set := pairs{
		telemetry.AttrState, g.State, telemetry.AttrFunction, g.Function, telemetry.AttrFile, g.File, telemetry.AttrLine, strconv.Itoa(g.Line),
		telemetry.AttrEntry, g.Entry, telemetry.AttrOriginClass, "answer_not_taken",
		telemetry.AttrCreatorOwnFunction, "github.com/acme/shop/order.ask", telemetry.AttrCreatorOwnFile, "/src/shop/order/order.go", telemetry.AttrCreatorOwnLine, "81",
		telemetry.AttrWakerFunction, "github.com/acme/shop/order.ask", telemetry.AttrWakerFile, "/src/shop/order/order.go", telemetry.AttrWakerLine, "92",
	}.get
	for metric, value := range map[string]float64{telemetry.OriginCreations: 8, telemetry.OriginWakeups: 375, telemetry.OriginTraced: 1} {
		observe(finding.Point{Metric: metric, Resource: resource, Attributes: set, At: at, Value: value})
	}
}

// Fleet returns services with the given number of instances, findings and healthy groups each, for
// tests of size.
func Fleet(services, instances, findings, healthy int) []Service {
	var all []Service
	for i := range services {
		s := Service{Name: fmt.Sprintf("service-%03d", i), Instances: instances, Groups: healthyGroups(), Versions: []string{"1.0.0", "1.1.0"}, Every: 9 * time.Hour}
		for k := range healthy {
			function := fmt.Sprintf("github.com/acme/service%03d/internal/module%d.(*Worker).run", i, k)
			s.Groups = append(s.Groups, Group{Place: place("select", function, fmt.Sprintf("/src/service/internal/module%d/worker.go", k), 40+k, function), Count: 5})
		}
		for k := range findings {
			function := fmt.Sprintf("github.com/acme/service%03d/internal/handler%d.(*Handler).fetchAndMerge.func%d", i, k, 1)
			s.Groups = append(s.Groups, Group{
				Place: place([]string{"chan_send", "chan_receive", "select", "mutex"}[k%4], function, fmt.Sprintf("/src/service/internal/handler%d/handler.go", k), 100+13*k, function),
				Count: 2, Leaks: 1 + float64((i*7+k*3)%20), After: time.Duration((i+k)%6) * time.Hour,
				ID: fmt.Sprintf("%08x%08x", i*2654435761%4294967296, k), Severity: finding.Severity(1 + (i+k)%3),
			})
		}
		all = append(all, s)
	}
	return all
}
