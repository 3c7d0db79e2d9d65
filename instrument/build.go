package instrument

import (
	"runtime/debug"

	"go.opentelemetry.io/otel/attribute"

	"github.com/otel-goroutine/otel-goroutine/internal/profile"
	"github.com/otel-goroutine/otel-goroutine/internal/telemetry"
)

// buildAttributes returns the GNU build ID of the binary, the version of the main module, and the
// revision that it was built from, if they are known.
func buildAttributes() []attribute.KeyValue {
	var known []attribute.KeyValue
	add := func(key, value string) {
		if value != "" {
			known = append(known, attribute.String(key, value))
		}
	}
	// Without this profile the ID is unknown.
	if s, err := takeAny("threadcreate", profile.DecodeThreads); err == nil {
		add(telemetry.AttrBuildID, s.Build)
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return known
	}
	if info.Main.Version != "(devel)" {
		add(telemetry.AttrServiceVersion, info.Main.Version)
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			add(telemetry.AttrRevision, setting.Value)
		}
	}
	return known
}
