package leakdetect

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/pdata/pmetric"
)

// Two processes of each of three services send under one identity. Each service is told of
// once, however many of its processes are mixed up, and however often they go on.
func TestMixedUpProcessesAreLoggedOnceAService(t *testing.T) {
	r := newRig(t)
	logs, consume := r.createNamed("mixed")
	for minute := range 60 {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		md := pmetric.NewMetrics()
		for _, service := range []string{"shop", "billing", ""} {
			for instance := range 2 {
				s := newScene(service)
				s.start = epoch.Add(-time.Duration(1+minute%2) * time.Hour)
				one := s.census(at, steady("app.worker", "app.pool", 40))
				attributes := one.ResourceMetrics().At(0).Resource().Attributes()
				attributes.PutStr("host.name", fmt.Sprint("host-", instance))
				attributes.Remove("service.instance.id")
				if service == "" {
					attributes.Remove("service.name")
				}
				one.ResourceMetrics().MoveAndAppendTo(md.ResourceMetrics())
			}
		}
		consume(md)
	}
	told := make(map[any]int)
	for _, entry := range logs.All() {
		assert.Contains(t, entry.Message, "service.instance.id")
		told[entry.ContextMap()["service.name"]]++
	}
	assert.Equal(t, map[any]int{"shop": 1, "billing": 1, nil: 1}, told)
}

// The same process, told apart by its instance, and restarted.
func TestReplicasThatAreToldApartAreNotLogged(t *testing.T) {
	r := newRig(t)
	logs, consume := r.createNamed("apart")
	for minute := range 60 {
		at := epoch.Add(time.Duration(minute) * time.Minute)
		s := newScene("shop")
		s.start = epoch.Add(time.Duration(minute/20) * 20 * time.Minute)
		md := s.census(at, steady("app.worker", "app.pool", 40))
		md.ResourceMetrics().At(0).Resource().Attributes().PutStr("service.instance.id", strconv.Itoa(minute%2))
		again := pmetric.NewMetrics()
		md.CopyTo(again)
		consume(md)
		consume(again) // by a sender that did not hear of its success
	}
	assert.Zero(t, logs.Len())
}
