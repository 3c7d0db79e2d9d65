// Package alerts holds the tests of what is in deploy, on real servers: Prometheus,
// Alertmanager and VictoriaMetrics from Debian, which `make servers` installs, and a newer
// Prometheus where `make prometheus` has built it.
package alerts
