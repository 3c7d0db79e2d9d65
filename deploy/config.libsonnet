// Parameters. Set them as in any mixin:
//
//   (import 'mixin.libsonnet') + { _config+:: { goroutineLimit: 5000 } }
//
// The most common ones need no jsonnet: make mixin GRAFANA_URL=... (deploy/README.md).
{
  _config:: {
    // How OpenTelemetry names become Prometheus names: the translation_strategy of Prometheus or
    // of the collector's exporter. UnderscoreEscapingWithSuffixes is their default. The others
    // are UnderscoreEscapingWithoutSuffixes, and, with dots, NoUTF8EscapingWithSuffixes and
    // NoTranslation, which VictoriaMetrics uses for OTLP. Names with dots need at least
    // Prometheus 3 and Alertmanager 0.27.
    translationStrategy: 'UnderscoreEscapingWithSuffixes',

    // Labels that distinguish services with the same name. A missing label does no harm.
    scopeLabels: ['cluster', 'deployment.environment.name', 'k8s.cluster.name', 'k8s.namespace.name', 'service.namespace'],

    // Plain limits of one process: goroutines, and MiB of Go memory. 0 means no alert. With a
    // limit, alerts of leaks also say when it will be reached.
    goroutineLimit: 0,
    memoryLimitMiB: 0,
    goroutineLimitSeverity: 'warning',
    memoryLimitSeverity: 'info',
    // How long a process must be above a limit. More than 10 minutes: a shorter `for` starts
    // again when Prometheus restarts.
    limitFor: '15m',

    // How long an alert about a leak or a limit continues without data, such as while the
    // collector restarts.
    gapFor: '10m',

    // How long a target must be down, or data be missing, before the alert fires.
    targetDownFor: '15m',
    // How long the alert about missing data of a service lasts. It may be gone on purpose.
    missingFor: '6h',
    // The window over which failures of scrapes and of the collector are counted.
    failuresWindow: '15m',
    // How often the rules are evaluated. '' is the default of Prometheus.
    interval: '',

    runbookURL: 'https://github.com/otel-goroutine/otel-goroutine/blob/main',
    // The URL of Grafana, such as https://grafana.example.com. Without it alerts have no
    // dashboard_url.
    grafanaURL: '',
    dashboardUIDs: { fleet: 'otel-goroutine-fleet', service: 'otel-goroutine-service' },
  },
}
