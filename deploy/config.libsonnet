// What a team may want otherwise. Set it as with any mixin:
//
//   (import 'mixin.libsonnet') + { _config+:: { goroutineLimit: 5000 } }
//
// The ones that most teams set need no jsonnet: make mixin GRAFANA_URL=... (deploy/README.md).
{
  _config:: {
    // How names of OpenTelemetry become names in Prometheus: the translation_strategy of
    // Prometheus, or of the collector's exporter. UnderscoreEscapingWithSuffixes is their
    // default. The others are UnderscoreEscapingWithoutSuffixes, and, with dots,
    // NoUTF8EscapingWithSuffixes and NoTranslation. The last is what VictoriaMetrics does
    // with OTLP. Names with dots need Prometheus 3 and Alertmanager 0.27, or later.
    translationStrategy: 'UnderscoreEscapingWithSuffixes',

    // Labels that tell apart what has the same service name. One that is absent
    // does no harm.
    scopeLabels: ['cluster', 'deployment.environment.name', 'k8s.cluster.name', 'k8s.namespace.name', 'service.namespace'],

    // Plain limits of one process: how many goroutines, and how many MiB of Go memory. At 0
    // there is no alert about them. Set, they also tell in the text of a leak when the limit
    // is reached.
    goroutineLimit: 0,
    memoryLimitMiB: 0,
    goroutineLimitSeverity: 'warning',
    memoryLimitSeverity: 'info',
    // For how long a process must be above a limit. More than 10 minutes: a shorter `for`
    // begins anew when Prometheus restarts.
    limitFor: '15m',

    // How long an alert about a leak, or about a limit, goes on without data, such as while
    // the collector restarts.
    gapFor: '10m',

    // How long a target must be down, and data be missing, before it is told.
    targetDownFor: '15m',
    // How long it is told that a service sends no more data. It may be gone on purpose.
    missingFor: '6h',
    // Over which time failures are counted, of scrapes and of the collector.
    failuresWindow: '15m',
    // How often the rules are evaluated; '' is as often as Prometheus does by itself.
    interval: '',

    runbookURL: 'https://github.com/otel-goroutine/otel-goroutine/blob/main',
    // Where Grafana is, such as https://grafana.example.com. At '' alerts have no dashboard_url.
    grafanaURL: '',
    dashboardUIDs: { fleet: 'otel-goroutine-fleet', service: 'otel-goroutine-service' },
  },
}
