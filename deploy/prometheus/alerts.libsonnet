{
  local config = $._config,
  local names = (import '../names.libsonnet').of(config.translationStrategy),
  local texts = (import 'texts.libsonnet')(names),
  local serviceLabels = config.scopeLabels + ['service.name'],
  // What a leak is: a service and a place, whatever number of instances have it. No
  // label changes with a restart, nor while the leak grows.
  local leakLabels = serviceLabels + [
    'goroutine.stack.signature',
    'goroutine.state',
    'code.function.name',
    'code.file.path',
    'code.line.number',
    'goroutine.entry.function.name',
  ],
  local memoryLabels = serviceLabels + ['memory.leak.metric', 'go.memory.type'],
  local instanceLabels = serviceLabels + ['service.instance.id'],

  // labels are those of an alert beside the ones of its expression. Where names have dots,
  // what Alertmanager groups and inhibits by is there with underscores as well, so that its
  // configuration, and all that reads it, is the same by every naming.
  local labels(severity, of) = { severity: severity } + {
    [std.strReplace(name, '.', '_')]: '{{ %s }}' % names.value(name)
    for name in of
    if std.setMember(name, std.set(serviceLabels + ['goroutine.stack.signature', 'goroutine.entry.function.name']))
       && names.label(name) != std.strReplace(name, '.', '_')
  },

  local serviceDashboard = texts.dashboard(config.grafanaURL, config.dashboardUIDs.service),
  local fleetDashboard = '%s/d/%s' % [config.grafanaURL, config.dashboardUIDs.fleet],
  local runbook(page) = '%s/%s' % [config.runbookURL, page],
  // The pages of the alerts that are about no state.
  local section(alert) = runbook('deploy/prometheus/README.md#' + std.asciiLower(alert)),

  // A leak has no `for`: the detector has watched it for min_duration before it says
  // so. A `for` would begin anew when Prometheus restarts, and the alert would be
  // resolved in between.
  local leakAlert(name, severity, least, certainty) = {
    alert: name,
    expr: 'max %s (%s) >= %d' % [names.by(leakLabels), names.series('goroutine.leak.severity'), least],
    keep_firing_for: config.keepFiringFor,
    labels: labels(severity, leakLabels),
    annotations: {
      summary: '%s leaks goroutines (%s): %s.' % [texts.service, certainty, texts.place],
      description: std.join(' ', [
        '%s goroutines of %s never end, in %s instances:' % [
          texts.number('sum', 'goroutine.leak.count', leakLabels),
          texts.service,
          texts.number('count', 'goroutine.leak.severity', leakLabels, ' >= %d' % least),
        ],
        texts.place + texts.state + '.',
        '%s more come every hour.' % texts.number('sum', 'goroutine.leak.growth_rate', leakLabels, format='printf "%.1f"'),
      ]),
      runbook_url: runbook(texts.page),
      dashboard_url: serviceDashboard,
    },
  },

  local leaks = [
    leakAlert('GoroutineLeakConfirmed', 'critical', 3, 'confirmed by the runtime'),
    leakAlert('GoroutineLeakProbable', 'warning', 2, 'probable'),
    leakAlert('GoroutineLeakSuspected', 'info', 1, 'suspected'),
    {
      alert: 'MemoryLeakProbable',
      expr: 'max %s (%s) >= 2' % [names.by(memoryLabels), names.series('memory.leak.severity')],
      keep_firing_for: config.keepFiringFor,
      labels: labels('warning', memoryLabels),
      annotations: {
        summary: '%s leaks memory (probable): %s.' % [texts.service, texts.label('memory.leak.metric')],
        description: std.join(' ', [
          '%s{{ with %s }} ({{ . }}){{ end }} of %s only ever grows:' % [texts.label('memory.leak.metric'), names.value('go.memory.type'), texts.service],
          '%s bytes are believed leaked in %s instances,' % [
            texts.number('sum', 'memory.leak.size', memoryLabels),
            texts.number('count', 'memory.leak.severity', memoryLabels, ' >= 2'),
          ],
          '%s more come every hour.' % texts.number('sum', 'memory.leak.growth_rate', memoryLabels),
        ]),
        runbook_url: section('MemoryLeakProbable'),
        dashboard_url: serviceDashboard,
      },
    },
  ],

  local limitAlert(name, expr, what) = {
    alert: name,
    expr: expr,
    'for': config.limitFor,
    keep_firing_for: config.keepFiringFor,
    labels: labels('warning', serviceLabels),
    annotations: {
      summary: '%s has %s.' % [texts.service, what],
      description: 'The largest instance of %s has had %s for %s, and has {{ $value | printf "%%.0f" }} now.' % [texts.service, what, config.limitFor],
      runbook_url: section(name),
      dashboard_url: serviceDashboard,
    },
  },

  local limits = [
    limitAlert(
      'GoroutineCountHigh',
      'max %s (%s) > %d' % [names.by(serviceLabels), names.series('go.goroutine.count'), config.goroutineLimit],
      'more than %d goroutines' % config.goroutineLimit,
    ),
    limitAlert(
      'GoMemoryHigh',
      // Of each instance the sum of what go.memory.type tells apart.
      'max %s (sum %s (%s)) / 1024 / 1024 > %d' % [names.by(serviceLabels), names.by(instanceLabels), names.series('go.memory.used'), config.memoryLimitMiB],
      'more than %d MiB of Go memory' % config.memoryLimitMiB,
    ),
  ],

  local watching = [
    {
      alert: 'GoroutineTargetDown',
      // The largest, since two collectors may scrape one target.
      expr: 'max %s (%s) == 0' % [names.by(instanceLabels), names.series('goroutine.scrape.up')],
      'for': config.targetDownFor,
      labels: labels('warning', instanceLabels),
      annotations: {
        summary: 'The profiles of %s cannot be scraped.' % texts.service,
        description: '%s of %s has not been scraped for %s%s. Its leaks are not seen.' % [
          texts.instance,
          texts.service,
          config.targetDownFor,
          // What most of the latest failures were.
          '{{ with printf `topk(1, sum %s (increase(%s[%s])) > 0)` %s | query }} ({{ . | first | label "%s" }}){{ end }}' % [
            names.by(['error.type']),
            names.series('goroutine.scrape.failures', std.join(',', ['%s=%%q' % names.quoted(name) for name in instanceLabels])),
            config.failuresWindow,
            std.join(' ', [names.value(name) for name in instanceLabels]),
            names.label('error.type'),
          ],
        ],
        runbook_url: section('GoroutineTargetDown'),
        dashboard_url: fleetDashboard,
      },
    },
    {
      alert: 'GoroutineDataMissing',
      // All other alerts need data, and end without.
      expr: 'absent(%s)' % names.series('go.goroutine.count'),
      'for': config.targetDownFor,
      labels: { severity: 'warning' },
      annotations: {
        summary: 'No service tells of its goroutines.',
        description: 'No collector and no service has sent %s for %s. Leaks are not seen, and alerts about them end.' % [names.metric('go.goroutine.count'), config.targetDownFor],
        runbook_url: section('GoroutineDataMissing'),
        dashboard_url: fleetDashboard,
      },
    },
    {
      alert: 'GoroutineServiceNameMissing',
      // Of any of them, since each may come without the others: where a target is down,
      // where a service takes no stacks, where the census passes another way than the flags.
      expr: 'count by (job) (%s) > 0' % std.join(' or ', [
        names.series(metric, '%s=~"(unknown_service.*)?"' % names.quoted('service.name'))
        for metric in ['goroutine.stack.count', 'goroutine.scrape.up', 'goroutine.leak.severity', 'memory.leak.severity']
      ]),
      'for': config.targetDownFor,
      labels: { severity: 'warning' },
      annotations: {
        summary: 'Goroutine metrics arrive without a service name.',
        description: '{{ $value | printf "%%.0f" }} series{{ with $labels.job }} of the job {{ . }}{{ end }} have had no label %s, or the value unknown_service, for %s. Alerts and dashboards cannot tell whose leak they show.' % [names.label('service.name'), config.targetDownFor],
        runbook_url: section('GoroutineServiceNameMissing'),
        dashboard_url: fleetDashboard,
      },
    },
    {
      alert: 'GoroutineDetectorUnwatchedStreams',
      // The collector's own metric, which has a suffix or not as it is told.
      expr: 'sum by (job, instance) (increase(%(name)s[%(window)s]) or increase(%(name)s_total[%(window)s])) > 0' % {
        name: 'otelcol_processor_leak_detect_unwatched_points',
        window: config.unwatchedWindow,
      },
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The detector of {{ $labels.instance }} watches max_streams streams, and no more.',
        description: '{{ $value | printf "%%.0f" }} points passed through {{ $labels.job }} at {{ $labels.instance }} unwatched in %s. Leaks in them are not seen.' % config.unwatchedWindow,
        runbook_url: section('GoroutineDetectorUnwatchedStreams'),
        dashboard_url: fleetDashboard,
      },
    },
  ],

  local group(name, rules) = { name: name, rules: rules } + (if config.interval == '' then {} else { interval: config.interval }),

  prometheusAlerts+:: {
    groups+: [
      group('otel-goroutine-leaks', leaks),
      group('otel-goroutine-limits', limits),
      group('otel-goroutine-watching', watching),
    ],
  },
}
