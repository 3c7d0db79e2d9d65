// Alert rules and dashboards for the metrics that the collector exports to Prometheus, as a
// monitoring mixin (https://monitoring.mixins.dev).
(import 'config.libsonnet')
+ (import 'prometheus/alerts.libsonnet')
+ (import 'grafana/fleet.libsonnet')
+ (import 'grafana/service.libsonnet')
