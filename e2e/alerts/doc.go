// Package alerts tests the alert rules and dashboards of deploy with real servers: Prometheus, Alertmanager
// and VictoriaMetrics from Debian, which `make servers` installs, and a newer Prometheus if
// `make prometheus` has built it.
package alerts
