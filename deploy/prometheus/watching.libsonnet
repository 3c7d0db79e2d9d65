// Alerts about services that are not watched, or not any more. All other alerts about a
// service need its data, and end without.
function(config, names, texts, alert)
  // What comes of every service while it is watched: scraped, instrumented, or counted by
  // contrib's runtime.
  local signs = ['goroutine.scrape.up', 'goroutine.sample.interval', 'go.goroutine.count'];
  local watched(shape) = std.join(' or ', ['group %s (%s)' % [names.by(alert.service), shape % names.series(sign)] for sign in signs]);

  [
    {
      alert: 'GoroutineTargetDown',
      // The largest, since two collectors may scrape one target.
      expr: 'max %s (%s) == 0' % [names.by(alert.serviceInstance), names.series('goroutine.scrape.up')],
      'for': config.targetDownFor,
      labels: alert.labels('warning', alert.serviceInstance),
      annotations: {
        summary: 'The profiles of %s cannot be scraped.' % texts.service,
        description: std.join('', [
          texts.asking(alert.serviceInstance),
          '%s of %s has not been scraped for %s' % [texts.instance, texts.service, config.targetDownFor],
          // What most of the latest failures were.
          texts.with(
            'topk(1, sum %s (increase(%s[%s])) > 0)' % [names.by(['error.type']), names.series('goroutine.scrape.failures', '%[1]s'), config.failuresWindow],
            ' ({{ . | first | label "%s" }})' % names.label('error.type'),
          ),
          '. Its leaks are not seen.',
        ]),
      } + alert.section('GoroutineTargetDown') + alert.fleetDashboard(alert.service),
    },
    {
      alert: 'GoroutineDataMissing',
      expr: '(%s) unless (%s)' % [watched('last_over_time(%%s[%s])' % config.missingFor), watched('%s')],
      'for': config.targetDownFor,
      labels: alert.labels('warning', alert.service),
      annotations: {
        summary: 'Nothing comes of the goroutines of %s any more.' % texts.service,
        description: 'No collector, and no instance of %s, has sent metrics of its goroutines for %s. Its leaks are not seen, and alerts about them end, though nothing is repaired. If the service is gone on purpose, this ends %s after its last data.' % [texts.service, config.targetDownFor, config.missingFor],
      } + alert.section('GoroutineDataMissing') + alert.fleetDashboard(alert.service),
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
      labels: alert.labels('warning'),
      annotations: {
        summary: 'Goroutine metrics arrive without a service name.',
        description: '{{ $value | printf "%%.0f" }} series{{ with $labels.job }} of the job {{ . }}{{ end }} have had no label %s, or the value unknown_service, for %s. Alerts and dashboards cannot tell whose leak they show.' % [names.label('service.name'), config.targetDownFor],
      } + alert.section('GoroutineServiceNameMissing') + alert.fleetDashboard(),
    },
  ]
