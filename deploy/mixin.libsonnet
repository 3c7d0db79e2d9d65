// Alert rules and dashboards for what the collector exports to Prometheus, in the
// convention of monitoring mixins (https://monitoring.mixins.dev).
(import 'config.libsonnet')
+ (import 'prometheus/alerts.libsonnet')
+ (import 'grafana/fleet.libsonnet')
+ (import 'grafana/service.libsonnet')
