package semconv

import (
	conventions "go.opentelemetry.io/otel/semconv/v1.38.0"
	"go.opentelemetry.io/otel/semconv/v1.38.0/goconv"
	"go.opentelemetry.io/otel/semconv/v1.38.0/processconv"
)

// dependencyKeys returns the attributes of OpenTelemetry's conventions that the registry may use, in
// the version of its dependency.
func dependencyKeys() []string {
	return []string{
		string(conventions.CodeFilePathKey),
		string(conventions.CodeFunctionNameKey),
		string(conventions.CodeLineNumberKey),
		string(conventions.CodeStacktraceKey),
		string(conventions.CPUModeKey),
		string(conventions.ErrorTypeKey),
		string(conventions.ProcessExecutableBuildIDGNUKey),
		string(conventions.ServerAddressKey),
		string(conventions.ServerPortKey),
		string(conventions.ServiceInstanceIDKey),
		string(conventions.ServiceNameKey),
		string(conventions.ServiceVersionKey),
		string(conventions.VCSRefHeadRevisionKey),
	}
}

// importable returns the metrics of OpenTelemetry's conventions that the registry may import. The
// registry has only their names; the rest comes from the package generated from the conventions.
func importable() map[string]Metric {
	var (
		goroutines goconv.GoroutineCount
		cpuTime    processconv.CPUTime
	)
	return map[string]Metric{
		goroutines.Name(): {
			Name: goroutines.Name(), Instrument: "updowncounter", Unit: goroutines.Unit(), Brief: goroutines.Description(),
			EmittedBy: []string{"receiver", "instrument"}, Imported: true,
		},
		cpuTime.Name(): {
			Name: cpuTime.Name(), Instrument: "counter", Unit: cpuTime.Unit(), Brief: cpuTime.Description(),
			EmittedBy: []string{"instrument"}, Imported: true,
			Attributes: []Attribute{{
				Key: string(conventions.CPUModeKey), Brief: "Where the time was spent.",
				Level: "required", DefinedByDependency: true,
				Members: []Member{
					{ID: "user", Value: string(processconv.CPUModeUser), Brief: "Time in the process itself."},
					{ID: "system", Value: string(processconv.CPUModeSystem), Brief: "Time in the kernel, for the process."},
				},
			}},
		},
	}
}
