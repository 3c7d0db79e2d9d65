// What a team may want otherwise. Set it as with any mixin:
//
//   (import 'mixin.libsonnet') + { _config+:: { goroutineLimit: 5000 } }
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

    // The plain limits, of one process, and for how long it must be above them. 1,000
    // goroutines and 100 MiB are an example: set them to what your services need.
    goroutineLimit: 1000,
    memoryLimitMiB: 100,
    // More than 10 minutes: a shorter `for` begins anew when Prometheus restarts.
    limitFor: '15m',
    targetDownFor: '15m',

    // How long an alert outlives its data, such as while the collector restarts.
    keepFiringFor: '15m',
    // Over which time the detector's unwatched points are counted.
    unwatchedWindow: '15m',
    // Over which time the failures of a target that is down are counted.
    failuresWindow: '15m',
    // How often the rules are evaluated; '' is as often as Prometheus does by itself.
    interval: '',

    runbookURL: 'https://github.com/otel-goroutine/otel-goroutine/blob/main',
    grafanaURL: 'http://127.0.0.1:3000',
    dashboardUIDs: { fleet: 'otel-goroutine-fleet', service: 'otel-goroutine-service' },
  },
}
