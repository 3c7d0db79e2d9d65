package page

import (
	"net/http"
	"testing"
	"time"

	"github.com/otel-goroutine/otel-goroutine/internal/page"
	"github.com/otel-goroutine/otel-goroutine/internal/page/pagetest"
)

func TestZZ(t *testing.T) {
	fleet := page.NewMemory(page.Config{})
	pagetest.Play(fleet, pagetest.Fleet(100, 100, 5, 2), 8*time.Hour, 2*time.Hour)
	shop := page.NewMemory(page.Config{})
	pagetest.Shop(shop)
	go http.ListenAndServe("127.0.0.1:17988", page.NewHandler(shop, page.Options{}, nil))
	go http.ListenAndServe("127.0.0.1:17987", page.NewHandler(fleet, page.Options{}, nil))
	time.Sleep(25 * time.Minute)
}
