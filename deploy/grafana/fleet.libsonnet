// Which services leak, how fast, in how many instances.
{
  local config = $._config,
  local names = (import '../names.libsonnet').of(config.translationStrategy),
  local build = (import 'build.libsonnet')(names),
  local uids = config.dashboardUIDs,
  local service = config.scopeLabels + ['service.name'],
  local instance = service + ['service.instance.id'],
  local of(metric) = names.series(metric, build.chosen(service)),
  local by = names.by,
  local leak = service + ['goroutine.leak.id'],
  local place = leak + ['goroutine.state', 'code.function.name', 'code.file.path', 'code.line.number', 'goroutine.entry.function.name', 'goroutine.entry.file.path'],
  local legend = build.legend(service),

  // A leak is flagged in instances, in the service as a whole, or in both: the larger value counts.
  // The service includes instances that are not flagged, but not what the runtime alone has proved.
  local severity = '(%s or %s)' % [of('goroutine.leak.severity'), of('goroutine.leak.service.severity')],
  local larger(instances, whole) =
    local sum = names.leaked(leak, of(instances));
    local max = 'max %s (%s)' % [by(leak), of(whole)];
    '(%s > %s or %s or %s)' % [sum, max, max, sum],
  local count = larger('goroutine.leak.count', 'goroutine.leak.service.count'),
  local growth = larger('goroutine.leak.growth_rate', 'goroutine.leak.service.growth_rate'),
  local goroutines = names.goroutines(of, instance),
  local toService = {
    fieldConfig+: { defaults+: { links: [build.link(uids.service, 'field.labels', service)] } },
  },

  grafanaDashboards+:: {
    'fleet.json': build.dashboard(
      uids.fleet,
      'Goroutine leaks: fleet',
      'Which services leak goroutines, how fast, and in how many instances.',
      build.variables(service),
      [
        build.stat('Leaking services', 'count(max %s %s >= 2) or vector(0)' % [by(service), severity], 'Probable or confirmed.') + build.alarming,
        build.stat('Suspected services', 'count(max %s %s == 1) or vector(0)' % [by(service), severity]),
        build.stat('Watched services', 'count(group %s %s)' % [by(service), goroutines]),
        build.stat('Targets down', 'count(max %s (%s) == 0) or vector(0)' % [by(instance), of('goroutine.scrape.up')], 'Their profiles cannot be scraped.') + build.alarming,
        build.band('Severity', [build.query(
          'max %s %s or 0 * group %s %s' % [by(service), severity, by(service), goroutines],
          legend,
        )], 'The worst leak of each service.'),
        build.table('Leaks', [
          ['severity', 'max %s %s > 0' % [by(place), severity]],
          ['instances', 'count %s (%s > 0)' % [by(place), of('goroutine.leak.severity')]],
          ['goroutines', 'sum %s (%s) > 0' % [by(place), of('goroutine.leak.count')]],
          ['per hour', 'sum %s (%s) > 0' % [by(place), of('goroutine.leak.growth_rate')]],
        ], 'Current leaks by place in the code. Rows with the same ID are one leak.') + {
          fieldConfig+: { defaults+: { links: [build.link(uids.service, 'data.fields', service)] } },
        },
        build.lines('Leaked goroutines', [build.query('sum %s %s' % [by(service), count], legend)]) + toService,
        build.lines('Growth per hour', [build.query('sum %s %s' % [by(service), growth], legend)]) + toService,
        build.lines('Leaking instances', [build.query(
          'count %s (max %s (%s) >= 2)' % [by(service), by(instance), of('goroutine.leak.severity')],
          legend,
        )]) + toService,
        build.lines('Goroutines', [build.query('sum %s %s' % [by(service), goroutines], legend)], description='All goroutines, leaked or not.') + toService,
      ],
    ),
  },
}
