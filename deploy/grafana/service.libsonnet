// One service: what its goroutines do, and which of them leak.
{
  local names = (import '../names.libsonnet').of($._config.translationStrategy),
  local build = (import 'build.libsonnet')(names),
  local service = $._config.scopeLabels + ['service.name'],
  local instance = service + ['service.instance.id'],
  local signature = instance + ['goroutine.stack.signature'],
  local of(metric) = names.series(metric, build.chosen(instance)),
  local place(metric) = names.series(metric, build.chosen(signature)),
  local byGroup = names.by(['goroutine.state', 'code.function.name', 'code.line.number', 'goroutine.entry.function.name']),
  // Grafana omits missing labels: an entry has no state, function or line.
  local groupLegend = '%s:%s < %s' % [build.legend(l) for l in [['goroutine.state', 'code.function.name'], ['code.line.number'], ['goroutine.entry.function.name']]],
  // More lines are indistinguishable: the 20 largest at the end of the range.
  local largest(expr) = '%s and topk(20, %s)' % [expr % '', expr % ' @ end()'],
  local byMemory = names.by(['memory.leak.metric', 'go.memory.type']),
  local memoryLegend = build.legend(['memory.leak.metric', 'go.memory.type']),

  // lines shows an aggregate of a metric by labels.
  local lines(title, aggregate, labels, unit='short', description='') =
    build.lines(title, [build.query(aggregate % names.by(labels), build.legend(labels))], unit, description),

  grafanaDashboards+:: {
    'service.json': build.dashboard(
      $._config.dashboardUIDs.service,
      'Goroutine leaks: service',
      'What the goroutines of a service do, and which of them leak.',
      build.variables(instance) + [build.variable('signature', of('goroutine.stack.count'), 'goroutine.stack.signature')],
      [
        build.band('Severity', [
          build.query('max %s (%s)' % [byGroup, of('goroutine.leak.severity')], groupLegend),
          build.query('max %s (%s)' % [byGroup, names.series('goroutine.leak.service.severity', build.chosen(service))], groupLegend + ', service'),
        ], 'The worst instance of each leak, and the service as a whole.'),
        build.lines('Leaked goroutines', [build.query('sum %s (%s)' % [byGroup, of('goroutine.leak.count')], groupLegend)]),
        build.lines('Growth per hour', [build.query('sum %s (%s)' % [byGroup, of('goroutine.leak.growth_rate')], groupLegend)]),
        build.band('Severity of memory', [build.query('max %s (%s)' % [byMemory, of('memory.leak.severity')], memoryLegend)], 'The worst instance of each memory metric. Empty while none is suspected.') + { gridPos+: { h: 4 } },
        build.lines('Leaked memory', [build.query('sum %s (%s)' % [byMemory, of('memory.leak.size')], memoryLegend)], 'bytes'),
        build.lines('Growth of memory per hour', [build.query('sum %s (%s)' % [byMemory, of('memory.leak.growth_rate')], memoryLegend)], 'bytes'),
        build.lines('Goroutines by signature', [build.query(largest('sum %s (%s%%s)' % [byGroup, place('goroutine.stack.count')]), groupLegend)]),
        build.lines('Aged goroutines by signature', [build.query(largest('sum %s (%s%%s)' % [byGroup, place('goroutine.stack.aged.count')]), groupLegend)], description='First seen at least aged_after ago.'),
        build.lines('Exits of aged goroutines by signature', [build.query(largest('sum %s (rate(%s[$__rate_interval]%%s))' % [byGroup, place('goroutine.stack.aged.exits')]), groupLegend)], 'cps', 'Groups with aged goroutines and without exits leak.'),
        lines('Goroutines by state', 'sum %%s (%s)' % of('goroutine.stack.count'), ['goroutine.state']),
        lines('Goroutines by instance', 'sum %%s %s' % names.goroutines(of, instance), ['service.instance.id']),
        lines('Goroutines created', 'sum %%s (rate(%s[$__rate_interval]))' % of('goroutine.creations'), ['service.instance.id'], 'cps'),
        lines('Goroutines by scheduler state', 'sum %%s (%s)' % of('goroutine.state.count'), ['goroutine.scheduler.state']) + build.needsInstrument,
        lines('Memory', 'sum %%s (%s)' % of('go.memory.used'), ['service.instance.id', 'go.memory.type'], 'bytes', 'From WithRuntimeMetrics, or contrib\'s runtime.') + build.needsInstrument,
        lines('CPU', 'sum %%s (rate(%s[$__rate_interval]))' % of('process.cpu.time'), ['service.instance.id', 'cpu.mode'], 'percentunit', 'From WithProcessCPUTime. 100% is one CPU.') + build.needsInstrument,
        lines('Scrapes', 'max %%s (%s)' % of('goroutine.scrape.duration'), ['service.instance.id', 'goroutine.scrape.source'], 's', 'Duration of scrapes. Only for services that are scraped.'),
        lines('Failed scrapes', 'sum %%s (increase(%s[$__rate_interval]))' % of('goroutine.scrape.failures'), ['service.instance.id', 'error.type'], description='By cause. Only for services that are scraped.'),
      ],
    ),
  },
}
