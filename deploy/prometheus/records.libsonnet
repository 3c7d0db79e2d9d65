// Recording rules: the values in the texts of alerts about leaks, from the metrics of the
// instances and those of the service.
function(config, names, alert) {
  local records = self,
  local by = names.by,
  local series = names.series,

  // lately is the last value of a metric, even if data has been missing for a while.
  local lately(selected) = 'last_over_time(%s[%s])' % [selected, config.gapFor],
  // ofService is a value of a service for each of its leaks.
  local ofService(each, value) = '%s * on %s group_left () %s' % [each, names.labels(alert.service), value],

  // larger is the larger of the sum over instances and the value of the service. The service
  // includes instances that are not flagged, but not what the runtime alone has proved.
  local larger(instances, service) =
    local sum = names.leaked(alert.leak, series(instances));
    local max = 'max %s (%s)' % [by(alert.leak), series(service)];
    '%s > %s or %s or %s' % [sum, max, max, sum],

  local severities = [series('goroutine.leak.severity'), series('goroutine.leak.service.severity')],
  local place = alert.leak + [
    'goroutine.state',
    'code.function.name',
    'code.file.path',
    'code.line.number',
    'goroutine.entry.function.name',
    'goroutine.entry.file.path',
  ],
  local goroutines = names.goroutines(series, alert.serviceInstance),
  local each = 'group %s (%s)' % [by(alert.leak), records.severity],

  // The maximum over the instances and the service as a whole, which may show what no instance
  // shows alone.
  severity: 'goroutine_leak:severity:max',
  count: 'goroutine_leak:count:sum',
  growth: 'goroutine_leak:growth_per_hour:sum',
  start: 'goroutine_leak:start_time_seconds:min',
  // The number of leaking instances, and of all instances of the service.
  affected: 'goroutine_leak:affected_instances:count',
  instances: 'goroutine_leak:instances:count',
  // All goroutines of the service.
  total: 'goroutine_leak:goroutines:sum',
  // Where the goroutines are: lines, if there are any.
  places: 'goroutine_leak:places:group',
  // When the first instance reaches goroutineLimit.
  limit: 'goroutine_leak:limit_seconds:min',

  ofGoroutines: [
    { record: records.severity, expr: 'max %s (%s)' % [by(alert.leak), std.join(' or ', [lately(s) for s in severities])] },
    { record: records.count, expr: larger('goroutine.leak.count', 'goroutine.leak.service.count') },
    { record: records.growth, expr: larger('goroutine.leak.growth_rate', 'goroutine.leak.service.growth_rate') },
    { record: records.start, expr: 'min %s (%s)' % [by(alert.leak), series('goroutine.leak.start_time')] },
    {
      record: records.affected,
      expr: 'max %s (%s) or count %s (group %s (%s > 0))' % [
        by(alert.leak),
        series('goroutine.leak.service.instance.count'),
        by(alert.leak),
        by(alert.leak + ['service.instance.id']),
        series('goroutine.leak.severity'),
      ],
    },
    {
      record: records.instances,
      expr: ofService(each, '(max %s (%s) or count %s (%s))' % [by(alert.service), series('goroutine.service.instance.count'), by(alert.service), goroutines]),
    },
    { record: records.total, expr: ofService(each, 'sum %s (%s)' % [by(alert.service), goroutines]) },
    {
      record: records.places,
      expr: std.join(' or on %s ' % names.labels(alert.leak), [
        'group %s (%s > 0)' % [by(place), lately(selected)]
        for selected in [series('goroutine.leak.severity', names.quoted('code.function.name') + '!=""')] + severities
      ]),
    },
  ] + if config.goroutineLimit == 0 then [] else [
    {
      record: records.limit,
      expr: 'min %s (3600 / (%s > 0) * on %s group_left () (%d - %s)) > 0' % [
        by(alert.leak),
        names.leaked(alert.leak + ['service.instance.id'], series('goroutine.leak.growth_rate')),
        names.labels(alert.serviceInstance),
        config.goroutineLimit,
        goroutines,
      ],
    },
  ],

  memory: alert.service + ['memory.leak.metric', 'go.memory.type'],
  memorySeverity: 'memory_leak:severity:max',
  memorySize: 'memory_leak:size_bytes:sum',
  memoryGrowth: 'memory_leak:growth_bytes_per_hour:sum',
  memoryAffected: 'memory_leak:affected_instances:count',
  memoryTotal: 'memory_leak:used_bytes:sum',
  memoryLimit: 'memory_leak:limit_seconds:min',

  local eachMemory = 'group %s (%s)' % [by(records.memory), records.memorySeverity],
  local used = 'sum %s (%s)' % [by(alert.serviceInstance), series('go.memory.used')],
  // Without a configured limit GOMEMLIMIT applies, if the process has one.
  local left = if config.memoryLimitMiB > 0 then '%d * 1024 * 1024 - %s' % [config.memoryLimitMiB, used]
  else 'max %s (%s) - %s' % [by(alert.serviceInstance), series('go.memory.limit'), used],

  ofMemory: [
    { record: records.memorySeverity, expr: 'max %s (%s)' % [by(records.memory), lately(series('memory.leak.severity'))] },
    { record: records.memorySize, expr: 'sum %s (%s)' % [by(records.memory), series('memory.leak.size')] },
    { record: records.memoryGrowth, expr: 'sum %s (%s)' % [by(records.memory), series('memory.leak.growth_rate')] },
    {
      record: records.memoryAffected,
      expr: 'count %s (group %s (%s > 0))' % [by(records.memory), by(records.memory + ['service.instance.id']), series('memory.leak.severity')],
    },
    { record: records.memoryTotal, expr: ofService(eachMemory, 'sum %s (%s)' % [by(alert.service), series('go.memory.used')]) },
    {
      record: records.memoryLimit,
      expr: 'min %s (3600 / (sum %s (%s) > 0) * on %s group_left () (%s)) > 0' % [
        by(records.memory),
        by(records.memory + ['service.instance.id']),
        series('memory.leak.growth_rate'),
        names.labels(alert.serviceInstance),
        left,
      ],
    },
  ],
}
