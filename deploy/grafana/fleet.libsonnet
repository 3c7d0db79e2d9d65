// Which services leak, how fast, in how many instances.
{
  local names = (import '../names.libsonnet').of($._config.translationStrategy),
  local build = (import 'build.libsonnet')(names),
  local uids = $._config.dashboardUIDs,
  local of(metric) = names.series(metric, names.quoted('service.name') + '=~"$service"'),
  local byService = names.by(['service.name']),
  local byInstance = names.by(['service.name', 'service.instance.id']),
  local byLeak = names.by(['service.name', 'goroutine.state', 'code.function.name', 'code.file.path', 'code.line.number', 'goroutine.entry.function.name']),
  local legend = build.legend(['service.name']),
  local severity = of('goroutine.leak.severity'),
  local count = of('goroutine.leak.count'),
  local growth = of('goroutine.leak.growth_rate'),
  local goroutines = of('go.goroutine.count'),
  local toService = {
    fieldConfig+: { defaults+: { links: [build.link(uids.service, build.field('field.labels', 'service.name'))] } },
  },

  grafanaDashboards+:: {
    'fleet.json': build.dashboard(
      uids.fleet,
      'Goroutine leaks: fleet',
      'Which services leak goroutines, how fast, and in how many instances.',
      [build.variable('service', names.series('go.goroutine.count'), 'service.name')],
      [
        build.stat('Services that leak', 'count(max %s (%s) >= 2) or vector(0)' % [byService, severity], 'Probable or confirmed.') + build.alarming,
        build.stat('Services under suspicion', 'count(max %s (%s) == 1) or vector(0)' % [byService, severity]),
        build.stat('Services watched', 'count(count %s (%s))' % [byService, goroutines]),
        build.stat('Targets down', 'count(max %s (%s) == 0) or vector(0)' % [byInstance, of('goroutine.scrape.up')], 'Their profiles cannot be scraped.') + build.alarming,
        build.band('Severity', [build.query(
          'max %s (%s) or 0 * max %s (%s)' % [byService, severity, byService, goroutines],
          legend,
        )], 'The worst leak of each service.'),
        build.table('Leaks', [
          ['severity', 'max %s (%s) > 0' % [byLeak, severity]],
          ['instances', 'count %s (%s > 0)' % [byLeak, severity]],
          ['goroutines', 'sum %s (%s) > 0' % [byLeak, count]],
          ['per hour', 'sum %s (%s) > 0' % [byLeak, growth]],
        ], 'What leaks now, by its place in the code.') + {
          fieldConfig+: { defaults+: { links: [build.link(uids.service, build.field('data.fields', 'service.name'))] } },
        },
        build.lines('Leaked goroutines', [build.query('sum %s (%s)' % [byService, count], legend)]) + toService,
        build.lines('Growth per hour', [build.query('sum %s (%s)' % [byService, growth], legend)]) + toService,
        build.lines('Instances that leak', [build.query(
          'count %s (max %s (%s) >= 2)' % [byService, byInstance, severity],
          legend,
        )]) + toService,
        build.lines('Goroutines', [build.query('sum %s (%s)' % [byService, goroutines], legend)], description='All of them, leaked or not.') + toService,
      ],
    ),
  },
}
