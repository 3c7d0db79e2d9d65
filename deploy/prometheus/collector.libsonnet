// Alerts about the collectors, from their own metrics.
function(config, alert)
  local collector = ['job', 'instance'];
  local by(labels=[]) = 'by (%s)' % std.join(', ', collector + labels);

  // The suffixes of the collector's counters, which depend on its configuration.
  local suffixes = ['', '_total'];
  local events(metric, labels=[], matchers='') =
    local window = config.failuresWindow;
    std.join(' or ', [
      'sum %s (increase(%s[%s])) > 0' % [by(labels), metric + suffix + matchers, window]
      for suffix in suffixes
    ]);

  local health(name, expr, summary, description, severity='warning') = {
    alert: name,
    expr: expr,
    labels: alert.labels(severity),
    annotations: { summary: summary, description: description } + alert.section(name) + alert.fleetDashboard(),
  };
  local within = 'in %s' % config.failuresWindow;
  local n = '{{ $value | printf "%.0f" }}';
  local detector = 'The detector of {{ $labels.instance }}';

  [
    health(
      'GoroutineCollectorDown',
      // By the own metrics of a collector with our receiver or processor. Metrics of services have
      // labels of their own. A target that Prometheus no longer lists has no alert.
      'up == 0 and on (job, instance) (%s)' % std.join(' or ', [
        'last_over_time(%s[%s])' % [own, config.missingFor]
        for own in ['otelcol_processor_leak_detect_streams'] + [
          'otelcol_receiver_accepted_metric_points%s{receiver=~"goroutine(/.*)?"}' % suffix
          for suffix in suffixes
        ]
      ]),
      'The collector {{ $labels.instance }} is down.',
      'Prometheus has not reached {{ $labels.job }} at {{ $labels.instance }} for %s. Leaks of the services that it watches are not detected, and alerts about them end although nothing is repaired.' % config.targetDownFor,
    ) { 'for': config.targetDownFor },
    health(
      'GoroutineDetectorUnwatchedStreams',
      events('otelcol_processor_leak_detect_unwatched_points'),
      detector + ' has reached max_streams.',
      n + ' points passed through {{ $labels.job }} at {{ $labels.instance }} unwatched %s. Leaks in them are not detected.' % within,
    ),
    health(
      'GoroutineDetectorBadPoints',
      // A stale series is no fault, nor is a gap in the data.
      events('otelcol_processor_leak_detect_bad_points', ['reason'], '{reason!~"no_value|jump"}'),
      detector + ' receives points that it cannot judge ({{ $labels.reason }}).',
      n + ' points could not be judged by {{ $labels.job }} at {{ $labels.instance }} %s: {{ $labels.reason }}. Leaks in them are not detected.' % within,
    ) { 'for': config.targetDownFor },
    health(
      'GoroutineDetectorFailedBatches',
      events('otelcol_processor_leak_detect_failed_batches'),
      detector + ' panicked.',
      n + ' batches passed through {{ $labels.job }} at {{ $labels.instance }} %s without verdicts, since the detector panicked. The log of the collector has the stack; please report it.' % within,
    ),
    health(
      'GoroutineDetectorStateErrors',
      events('otelcol_processor_leak_detect_state_errors', ['operation']),
      detector + ' cannot {{ $labels.operation }} its state.',
      '{{ $labels.job }} at {{ $labels.instance }} failed to {{ $labels.operation }} its state ' + n + ' times %s. A restart loses what was learned since the last save. The log of the collector has the cause; most often the disk is full or the directory is not writable.' % within,
    ),
    health(
      'GoroutineDiscoveryFailing',
      'sum %s (otelcol_receiver_goroutine_discovery_failing) > 0' % by(['source']),
      'The receiver of {{ $labels.instance }} cannot read its lists of targets ({{ $labels.source }}).',
      '{{ $labels.job }} at {{ $labels.instance }} has failed to read targets from {{ $labels.source }} for %s (failing lists: ' % config.targetDownFor + n + '). It uses the last good lists: new targets are not scraped, and removed ones still are. The log of the collector has the cause.',
    ) { 'for': config.targetDownFor },
    health(
      'GoroutineReceiverPanics',
      events('otelcol_receiver_goroutine_panics'),
      'The receiver of {{ $labels.instance }} panicked.',
      n + ' scrapes of {{ $labels.job }} at {{ $labels.instance }} failed %s, since the receiver panicked. The log of the collector has the stack; please report it.' % within,
    ),
  ]
