// Alerts about plain limits of one process. They are no proof of a leak.
function(config, names, texts, alert)
  local limit(name, severity, expr, what, shown) = {
    alert: name,
    expr: expr,
    'for': config.limitFor,
    keep_firing_for: config.gapFor,
    labels: alert.labels(severity, alert.service),
    annotations: {
      summary: '%s has %s.' % [texts.service, what],
      description: 'The largest instance of %s has had %s for %s, and has %s now.' % [texts.service, what, config.limitFor, shown],
    } + alert.section(name) + alert.serviceDashboard,
  };

  (if config.goroutineLimit == 0 then [] else [
     limit(
       'GoroutineCountHigh',
       config.goroutineLimitSeverity,
       'max %s %s > %d' % [names.by(alert.service), names.goroutines(names.series, alert.serviceInstance), config.goroutineLimit],
       'more than %d goroutines' % config.goroutineLimit,
       '{{ $value | printf "%.0f" }}',
     ),
   ])
  + (if config.memoryLimitMiB == 0 then [] else [
       limit(
         'GoMemoryHigh',
         config.memoryLimitSeverity,
         // The sum over go.memory.type for each instance.
         'max %s (sum %s (%s)) > %d * 1024 * 1024' % [names.by(alert.service), names.by(alert.serviceInstance), names.series('go.memory.used'), config.memoryLimitMiB],
         'more than %d MiB of Go memory' % config.memoryLimitMiB,
         '{{ $value | humanize1024 }}B',
       ),
     ])
