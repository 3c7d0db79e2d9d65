package leakdetect

import (
	"time"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// ignoreList are the rules for ignored groups.
type ignoreList []IgnoreRule

// matches reports whether a group is ignored at a time in Unix ns.
func (l ignoreList) matches(attributes pcommon.Map, at int64) bool {
	for i := range l {
		if l[i].activeAt(at) && l[i].matches(attributes) {
			return true
		}
	}
	return false
}

// activeAt reports whether the rule is not yet expired at a time in Unix ns.
func (r *IgnoreRule) activeAt(at int64) bool {
	return r.until.IsZero() || at < r.until.UnixNano()
}

func (r *IgnoreRule) matches(attributes pcommon.Map) bool {
	for _, attribute := range [...]struct{ key, value string }{
		{telemetry.AttrFunction, r.Function},
		{telemetry.AttrEntry, r.Entry},
		{telemetry.AttrSignature, r.Signature},
	} {
		if attribute.value != "" && valueOf(attributes, attribute.key) != attribute.value {
			return false
		}
	}
	return true
}

// expired returns the indices of the rules that have expired at a time.
func (l ignoreList) expired(now time.Time) []int {
	var found []int
	for i := range l {
		if !l[i].activeAt(now.UnixNano()) {
			found = append(found, i)
		}
	}
	return found
}
