package atomicstorage

import (
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/component"
)

// Suffixes of file names.
const (
	fileSuffix      = ".store"
	lockSuffix      = ".lock"
	temporarySuffix = ".tmp"
	damagedSuffix   = ".damaged"
)

// fileName returns the file name of a client. The names of different clients differ, since the
// separator is escaped in the parts.
//
//	processor, leak_detect/shop, ""  ->  processor-leak_detect-shop.store
//	exporter, otlp_grpc, "metrics"   ->  exporter-otlp_grpc--metrics.store
func fileName(kind component.Kind, id component.ID, name string) string {
	parts := []string{strings.ToLower(kind.String()), id.Type().String(), id.Name(), name}
	for i, part := range parts {
		parts[i] = escape(part)
	}
	return strings.TrimRight(strings.Join(parts, "-"), "-") + fileSuffix
}

// escape escapes bytes that some file systems do not allow in names, and upper case, since some file
// systems ignore case.
//
//	Größe/1  ->  %47r%c3%b6%c3%9fe%2f1
func escape(part string) string {
	var b strings.Builder
	for i := range len(part) {
		switch c := part[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '_', c == '.':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02x", c)
		}
	}
	return b.String()
}
