// Alerts about services that are not watched, or no longer. All other alerts about a service end
// without its data.
function(config, names, texts, alert)
  // A metric of every service that is watched: scraped, instrumented, or counted by contrib's
  // runtime.
  local signs = ['goroutine.scrape.up', 'goroutine.sample.interval', 'go.goroutine.count'];
  local watched(shape) = std.join(' or ', ['group %s (%s)' % [names.by(alert.service), shape % names.series(sign)] for sign in signs]);

  [
    {
      alert: 'GoroutineTargetDown',
      // The maximum, since two collectors may scrape one target.
      expr: 'max %s (%s) == 0' % [names.by(alert.serviceInstance), names.series('goroutine.scrape.up')],
      'for': config.targetDownFor,
      labels: alert.labels('warning', alert.serviceInstance),
      annotations: {
        summary: 'The profiles of %s cannot be scraped.' % texts.service,
        description: std.join('', [
          texts.asking(alert.serviceInstance),
          '%s of %s has not been scraped for %s' % [texts.instance, texts.service, config.targetDownFor],
          // The most frequent recent failure.
          texts.with(
            'topk(1, sum %s (increase(%s[%s])) > 0)' % [names.by(['error.type']), names.series('goroutine.scrape.failures', '%[1]s'), config.failuresWindow],
            ' ({{ . | first | label "%s" }})' % names.label('error.type'),
          ),
          '. Its leaks are not detected.',
        ]),
      } + alert.section('GoroutineTargetDown') + alert.fleetDashboard(alert.service),
    },
    {
      alert: 'GoroutineDataMissing',
      expr: '(%s) unless (%s)' % [watched('last_over_time(%%s[%s])' % config.missingFor), watched('%s')],
      'for': config.targetDownFor,
      labels: alert.labels('warning', alert.service),
      annotations: {
        summary: 'Goroutine metrics of %s are missing.' % texts.service,
        description: 'No collector and no instance of %s has sent its goroutine metrics for %s. Its leaks are not detected, and alerts about them end although nothing is repaired. If the service was removed on purpose, this alert ends %s after its last data.' % [texts.service, config.targetDownFor, config.missingFor],
      } + alert.section('GoroutineDataMissing') + alert.fleetDashboard(alert.service),
    },
    {
      alert: 'GoroutineServiceNameMissing',
      // Any of them, since each may arrive without the others: if a target is down, if a service
      // takes no stacks, if the census takes another way than the flags.
      expr: 'count by (job) (%s) > 0' % std.join(' or ', [
        names.series(metric, '%s=~"(unknown_service.*)?"' % names.quoted('service.name'))
        for metric in ['goroutine.stack.count', 'goroutine.scrape.up', 'goroutine.leak.severity', 'memory.leak.severity']
      ]),
      'for': config.targetDownFor,
      labels: alert.labels('warning'),
      annotations: {
        summary: 'Goroutine metrics arrive without a service name.',
        description: '{{ $value | printf "%%.0f" }} series{{ with $labels.job }} of the job {{ . }}{{ end }} have had no label %s, or the value unknown_service, for %s. Alerts and dashboards cannot tell which service leaks.' % [names.label('service.name'), config.targetDownFor],
      } + alert.section('GoroutineServiceNameMissing') + alert.fleetDashboard(),
    },
  ]
