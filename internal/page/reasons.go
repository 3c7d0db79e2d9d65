package page

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// reasonText describes an error type of the receiver: why scrapes of a target fail.
func reasonText(errorType string) string {
	switch errorType {
	case "":
		return "reason not known yet"
	case "connection":
		return "no connection"
	case "timeout":
		return "no complete response in time"
	case "unauthorized":
		return "not authorized (401, 403 or 407)"
	case "http_status":
		return "an HTTP status other than 200"
	case "not_pprof":
		return "the response is neither a trace nor a goroutine profile"
	case "unsupported_version":
		return "unsupported version of Go"
	case "too_large":
		return "the response is too large"
	case "malformed":
		return "the response is truncated or corrupt"
	case "internal":
		return "a defect of the receiver; please report it"
	}
	return strings.ReplaceAll(short(errorType), "_", " ")
}

// byCount returns the reasons with the number of targets, the most frequent first.
func byCount(counts map[string]int) []string {
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	for i, name := range names {
		names[i] = strconv.Itoa(counts[name]) + " down: " + name
	}
	return names
}
