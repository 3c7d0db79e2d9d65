// Package healthy tests goroutine-leaks on servers that do not leak, under load: NATS, etcd, Prometheus,
// Alertmanager, VictoriaMetrics and Caddy. `make healthy-check` builds them and runs the test.
// docs/decisions/healthy.md has the results.
package healthy
