package instrument

// Version returns the version of the instrumentation scope, which is that of the module. It is a
// function, since a constant is part of the API and would change it with each release.
func Version() string { return "0.1.0" }
