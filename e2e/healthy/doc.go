// Package healthy holds the trial of goroutine-leaks on servers that do not leak, under load: NATS,
// etcd, Prometheus, Alertmanager, VictoriaMetrics and Caddy. It is run by `make healthy-check`,
// which builds them first. docs/decisions/healthy.md tells what came of it.
package healthy
