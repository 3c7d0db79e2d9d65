package growth

import (
	"reflect"
	"testing"
	"time"
)

// sizeOf returns the size of the values of a type without padding, in bytes.
func sizeOf(of reflect.Type) int {
	if of.Kind() != reflect.Struct {
		return int(of.Size())
	}
	size := 0
	for i := range of.NumField() {
		size += sizeOf(of.Field(i).Type)
	}
	return size
}

// The test fails if a field is added but not encoded.
func TestStateIsWhole(t *testing.T) {
	if got, want := BinarySize(), sizeOf(reflect.TypeFor[Evidence]()); got != want {
		t.Errorf("%d bytes are kept of %d", got, want)
	}
}

func TestStateGoesOnWhereItWas(t *testing.T) {
	var e Evidence
	rules := defaults()
	observe := func(e *Evidence, minute int) Verdict {
		at := time.Unix(1_750_000_000, 0).Add(time.Duration(minute) * time.Minute)
		return e.Observe(&rules, Observation{At: at, Start: time.Unix(1, 0), Count: float64(3 * minute), Census: true, Aged: float64(3 * minute)})
	}
	for minute := range 100 {
		observe(&e, minute)
	}
	b, err := e.AppendBinary([]byte("before"))
	if err != nil || len(b) != len("before")+BinarySize() {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	var restored Evidence
	if err := restored.UnmarshalBinary(append(b[len("before"):], "after"...)); err != nil {
		t.Fatal(err)
	}
	if restored != e {
		t.Errorf("restored %+v, was %+v", restored, e)
	}
	for minute := 100; minute < 200; minute++ {
		if got, want := observe(&restored, minute), observe(&e, minute); got != want {
			t.Fatalf("minute %d: %+v, want %+v", minute, got, want)
		}
	}
	if v := observe(&restored, 200); v.Severity != Probable {
		t.Errorf("%+v", v)
	}
}

func TestStateThatIsCut(t *testing.T) {
	var e Evidence
	b, err := e.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		if err := e.UnmarshalBinary(b[:n]); err == nil {
			t.Errorf("%d bytes of %d are read", n, len(b))
		}
	}
}
