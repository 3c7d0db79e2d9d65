package leakdetect

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// ignoreList tells which groups nobody wants to be told of.
type ignoreList []IgnoreRule

// matches tells whether a group is ignored at a time, Unix ns.
func (l ignoreList) matches(attributes pcommon.Map, at int64) bool {
	for i := range l {
		if l[i].holds(at) && l[i].matches(attributes) {
			return true
		}
	}
	return false
}

// holds tells whether the rule is not over at a time, Unix ns.
func (r *IgnoreRule) holds(at int64) bool {
	return r.until.IsZero() || at < r.until.UnixNano()
}

func (r *IgnoreRule) matches(attributes pcommon.Map) bool {
	for _, want := range [...]struct{ key, value string }{
		{telemetry.AttrFunction, r.Function},
		{telemetry.AttrEntry, r.Entry},
		{telemetry.AttrSignature, r.Signature},
	} {
		if want.value != "" && valueOf(attributes, want.key) != want.value {
			return false
		}
	}
	return true
}

// over returns the numbers of the rules that were over at a time.
func (l ignoreList) over(now time.Time) []int {
	var found []int
	for i := range l {
		if !l[i].holds(now.UnixNano()) {
			found = append(found, i)
		}
	}
	return found
}
