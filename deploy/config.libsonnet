// What a team may want otherwise. Set it as with any mixin:
//
//   (import 'mixin.libsonnet') + { _config+:: { goroutineLimit: 5000 } }
{
  _config:: {
    // Labels that tell apart what has the same service name. One that is absent
    // does no harm.
    scopeLabels: ['cluster', 'deployment_environment_name', 'k8s_namespace_name', 'service_namespace'],

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
    // How often the rules are evaluated; '' is as often as Prometheus does by itself.
    interval: '',

    runbookURL: 'https://github.com/otel-goroutine/otel-goroutine/blob/main',
    grafanaURL: 'http://127.0.0.1:3000',
    dashboardUIDs: { fleet: 'otel-goroutine-fleet', service: 'otel-goroutine-service' },
  },
}
