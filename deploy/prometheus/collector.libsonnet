// Alerts about the collectors themselves, by the metrics that each has of its own.
function(config, alert)
  local collector = ['job', 'instance'];
  local by(labels=[]) = 'by (%s)' % std.join(', ', collector + labels);

  // What the collector's counters end with, as it is told.
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
      // By what a collector with our receiver or processor has of its own. What services send by it
      // has labels of theirs. Of a target that has gone from Prometheus' list, nothing is said.
      'up == 0 and on (job, instance) (%s)' % std.join(' or ', [
        'last_over_time(%s[%s])' % [own, config.missingFor]
        for own in ['otelcol_processor_leak_detect_streams'] + [
          'otelcol_receiver_accepted_metric_points%s{receiver=~"goroutine(/.*)?"}' % suffix
          for suffix in suffixes
        ]
      ]),
      'The collector {{ $labels.instance }} is down.',
      'Prometheus has not reached {{ $labels.job }} at {{ $labels.instance }} for %s. The leaks of the services that it watches are not seen, and alerts about them end, though nothing is repaired.' % config.targetDownFor,
    ) { 'for': config.targetDownFor },
    health(
      'GoroutineDetectorUnwatchedStreams',
      events('otelcol_processor_leak_detect_unwatched_points'),
      detector + ' watches max_streams streams, and no more.',
      n + ' points passed through {{ $labels.job }} at {{ $labels.instance }} unwatched %s. Leaks in them are not seen.' % within,
    ),
    health(
      'GoroutineDetectorBadPoints',
      // A series that went stale is no fault, nor is a gap in the data.
      events('otelcol_processor_leak_detect_bad_points', ['reason'], '{reason!~"no_value|jump"}'),
      detector + ' gets points that cannot be judged ({{ $labels.reason }}).',
      n + ' points that came to {{ $labels.job }} at {{ $labels.instance }} %s could not be judged: {{ $labels.reason }}. Leaks in them are not seen.' % within,
    ) { 'for': config.targetDownFor },
    health(
      'GoroutineDetectorFailedBatches',
      events('otelcol_processor_leak_detect_failed_batches'),
      detector + ' has a defect.',
      n + ' batches passed through {{ $labels.job }} at {{ $labels.instance }} %s without being judged, since judging panicked. Its log has the stack; please report it.' % within,
    ),
    health(
      'GoroutineDetectorStateErrors',
      events('otelcol_processor_leak_detect_state_errors', ['operation']),
      detector + ' cannot {{ $labels.operation }} what it remembers.',
      'To {{ $labels.operation }} the state of {{ $labels.job }} at {{ $labels.instance }} failed ' + n + ' times %s. A restart would forget what has come since it was last kept. Its log says why; most often the disk is full, or the directory cannot be written.' % within,
    ),
    health(
      'GoroutineDiscoveryFailing',
      'sum %s (otelcol_receiver_goroutine_discovery_failing) > 0' % by(['source']),
      'The receiver of {{ $labels.instance }} cannot read its lists of targets ({{ $labels.source }}).',
      '{{ $labels.job }} at {{ $labels.instance }} has failed to read targets from {{ $labels.source }} for %s (lists that fail now: ' % config.targetDownFor + n + '). The last good lists are kept: targets that are new are not scraped, and those that are gone still are. The log of the collector says why.',
    ) { 'for': config.targetDownFor },
    health(
      'GoroutineReceiverPanics',
      events('otelcol_receiver_goroutine_panics'),
      'The receiver of {{ $labels.instance }} has a defect.',
      n + ' scrapes of {{ $labels.job }} at {{ $labels.instance }} failed %s, since the receiver panicked. Its log has the stack; please report it.' % within,
    ),
  ]
