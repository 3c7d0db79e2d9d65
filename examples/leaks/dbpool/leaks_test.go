package dbpool

import (
	"testing"

	"github.com/otel-goroutine/otel-goroutine/examples/leaks/internal/leaktest"
)

func TestLeaky(t *testing.T) {
	db := OpenMemory(1, "Ada")
	defer func() { _ = db.Close() }()
	if name, err := NameLeaky(db, 0); err != nil || name != "Ada" {
		t.Fatalf("name %q, error %v", name, err)
	}
	leaktest.Leaks(t, "NameLeaky", "select", func() { _, _ = NameLeaky(db, 0) })
}

func TestRepaired(t *testing.T) {
	leaktest.Clean(t, func() {
		db := OpenMemory(1, "Ada")
		defer func() { _ = db.Close() }()
		for range 3 {
			if name, err := NameRepaired(t.Context(), db, 0); err != nil || name != "Ada" {
				t.Errorf("name %q, error %v", name, err)
			}
		}
	})
}
