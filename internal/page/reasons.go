package page

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// reasonText says why the scrapes of a target fail, by the error type of the receiver.
func reasonText(errorType string) string {
	switch errorType {
	case "":
		return "the reason has not come yet"
	case "connection":
		return "no connection"
	case "timeout":
		return "no full answer in time"
	case "unauthorized":
		return "not authorized (401, 403 or 407)"
	case "http_status":
		return "an HTTP status other than 200"
	case "not_pprof":
		return "the answer is no trace and no goroutine profile"
	case "unsupported_version":
		return "a version of Go that is not read"
	case "too_large":
		return "the answer is larger than allowed"
	case "malformed":
		return "the answer is cut short or corrupt"
	case "internal":
		return "a defect of the receiver; please report it"
	}
	return strings.ReplaceAll(short(errorType), "_", " ")
}

// byCount returns reasons with how often they are met, the most frequent first.
func byCount(counts map[string]int) []string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = strconv.Itoa(counts[name]) + " down: " + name
	}
	return names
}
