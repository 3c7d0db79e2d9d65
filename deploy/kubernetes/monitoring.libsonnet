// The mixin as Kubernetes objects: rules for the Prometheus Operator, and dashboards for the
// sidecar of Grafana's chart.
{
  prometheusRule:: {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: 'otel-goroutine' },
    spec: $.prometheusAlerts,
  },

  local name(file) = 'otel-goroutine-' + std.strReplace(file, '.json', ''),
  dashboardConfigMaps:: [
    {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: name(file), labels: { grafana_dashboard: '1' } },
      data: { [file]: std.manifestJsonMinified($.grafanaDashboards[file]) },
    }
    for file in std.objectFields($.grafanaDashboards)
  ],
}
