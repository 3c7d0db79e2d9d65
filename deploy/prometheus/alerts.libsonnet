local texts = import 'texts.libsonnet';

{
  local config = $._config,
  local serviceLabels = config.scopeLabels + ['service_name'],
  // What a leak is: a service and a place, whatever number of instances have it. No
  // label changes with a restart, nor while the leak grows.
  local leakLabels = serviceLabels + [
    'goroutine_stack_signature',
    'goroutine_state',
    'code_function_name',
    'code_file_path',
    'code_line_number',
    'goroutine_entry_function_name',
  ],
  local memoryLabels = serviceLabels + ['memory_leak_metric', 'go_memory_type'],
  local instanceLabels = serviceLabels + ['service_instance_id'],
  local by(labels) = 'by (%s)' % std.join(', ', labels),

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
    expr: 'max %s (goroutine_leak_severity) >= %d' % [by(leakLabels), least],
    keep_firing_for: config.keepFiringFor,
    labels: { severity: severity },
    annotations: {
      summary: '%s leaks goroutines (%s): %s.' % [texts.service, certainty, texts.place],
      description: std.join(' ', [
        '%s goroutines of %s never end, in %s instances:' % [
          texts.number('sum', 'goroutine_leak_count', leakLabels),
          texts.service,
          texts.number('count', 'goroutine_leak_severity', leakLabels, ' >= %d' % least),
        ],
        texts.place + texts.state + '.',
        '%s more come every hour.' % texts.number('sum', 'goroutine_leak_growth_rate', leakLabels, format='printf "%.1f"'),
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
      expr: 'max %s (memory_leak_severity) >= 2' % by(memoryLabels),
      keep_firing_for: config.keepFiringFor,
      labels: { severity: 'warning' },
      annotations: {
        summary: '%s leaks memory (probable): {{ $labels.memory_leak_metric }}.' % texts.service,
        description: std.join(' ', [
          '{{ $labels.memory_leak_metric }}{{ with $labels.go_memory_type }} ({{ . }}){{ end }} of %s only ever grows:' % texts.service,
          '%s bytes are believed leaked in %s instances,' % [
            texts.number('sum', 'memory_leak_size', memoryLabels),
            texts.number('count', 'memory_leak_severity', memoryLabels, ' >= 2'),
          ],
          '%s more come every hour.' % texts.number('sum', 'memory_leak_growth_rate', memoryLabels),
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
    labels: { severity: 'warning' },
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
      'max %s (go_goroutine_count) > %d' % [by(serviceLabels), config.goroutineLimit],
      'more than %d goroutines' % config.goroutineLimit,
    ),
    limitAlert(
      'GoMemoryHigh',
      // Of each instance the sum of what go.memory.type tells apart.
      'max %s (sum %s (go_memory_used)) / 1024 / 1024 > %d' % [by(serviceLabels), by(instanceLabels), config.memoryLimitMiB],
      'more than %d MiB of Go memory' % config.memoryLimitMiB,
    ),
  ],

  local watching = [
    {
      alert: 'GoroutineTargetDown',
      // The largest, since a scrape that fails has another attribute, and the last
      // success may be on the collector's page for a while.
      expr: 'max %s (goroutine_scrape_up) == 0' % by(instanceLabels),
      'for': config.targetDownFor,
      labels: { severity: 'warning' },
      annotations: {
        summary: 'The profiles of %s cannot be scraped.' % texts.service,
        description: '%s of %s has not been scraped for %s%s. Its leaks are not seen.' % [
          texts.instance,
          texts.service,
          config.targetDownFor,
          '{{ with printf `goroutine_scrape_up{service_name=%q,service_instance_id=%q,reason!=""} == 0` $labels.service_name $labels.service_instance_id | query }} ({{ . | first | label "reason" }}){{ end }}',
        ],
        runbook_url: section('GoroutineTargetDown'),
        dashboard_url: fleetDashboard,
      },
    },
    {
      alert: 'GoroutineDataMissing',
      // All other alerts need data, and end without.
      expr: 'absent(go_goroutine_count)',
      'for': config.targetDownFor,
      labels: { severity: 'warning' },
      annotations: {
        summary: 'No service tells of its goroutines.',
        description: 'No collector and no service has sent go_goroutine_count for %s. Leaks are not seen, and alerts about them end.' % config.targetDownFor,
        runbook_url: section('GoroutineDataMissing'),
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
