package instrument

// Version returns the version of the instrumentation scope, which is that of the module. It is
// a function because a constant is a part of the interface, which each release would change.
func Version() string { return "0.1.0" }
