// Alerts about leaks. None has a `for`: the detector has watched a leak for min_duration
// before it says so, and a `for` would begin anew when Prometheus restarts.
function(config, names, texts, alert)
  local records = (import 'records.libsonnet')(config, names, alert);
  local of = texts.of;

  local place = texts.place(of(records.places));
  local tomorrow(now, growth, shown) = texts.with('%s + 24 * %s' % [of(now), of(growth)], ', which makes %s by this time tomorrow' % shown);

  local description(ends, first) = std.join('', [
    texts.asking(alert.leak),
    texts.with(
      of(records.count),
      std.join('', [
        texts.number,
        texts.with(of(records.total), ' of the ' + texts.number),
        ' goroutines of %s %s: %s.' % [texts.service, ends, place],
        texts.with(of(records.start), ' It began %s.' % texts.time),
        texts.with(of(records.growth) + ' > 0', ' %s more come every hour%s.' % [texts.rate, tomorrow(records.count, records.growth, texts.number)]),
        if config.goroutineLimit == 0 then '' else texts.with(of(records.limit), ' The first instance has %d goroutines in %s.' % [config.goroutineLimit, texts.duration]),
        texts.with(
          of(records.affected),
          ' In ' + texts.number + texts.with(of(records.instances), ' of ' + texts.number + texts.ofInstances, texts.ofInstances)
          + texts.largest('goroutine.leak.count') + '.',
        ),
      ]),
      'Nothing has come lately of the goroutines of %s that gather: %s. Their processes are gone, or their data is missing.' % [texts.service, place],
    ),
    ' First: ' + first,
  ]);

  local treat = 'see what changed when it began. If that was a deploy, roll it back; if not, the runbook says what to look for. To restart the instances gains time.';
  local leakAlert(name, severity, least, leaks, certainty, ends, first) = {
    alert: name,
    expr: '%s >= %d' % [records.severity, least],
    labels: alert.labels(severity, alert.leak),
    annotations: {
      summary: '%s%s %s (%s): %s.' % [texts.asking(alert.leak), texts.service, leaks, certainty, place],
      description: description(ends, first),
    } + alert.runbook(texts.asking(alert.leak) + texts.page(of(records.places))) + alert.serviceDashboard,
  };

  local memory = {
    alert: 'MemoryLeakProbable',
    expr: '%s >= 2' % records.memorySeverity,
    labels: alert.labels('warning', records.memory),
    annotations: {
      summary: '%s leaks memory (probable): %s.' % [texts.service, texts.label('memory.leak.metric')],
      description: std.join('', [
        texts.asking(records.memory),
        '%s{{ with %s }} ({{ . }}){{ end }} of %s only ever grows.' % [texts.label('memory.leak.metric'), names.value('go.memory.type'), texts.service],
        texts.with(
          of(records.memorySize),
          std.join('', [
            ' %s are believed leaked' % texts.bytes,
            texts.with(of(records.memoryTotal), ', of %s of Go memory in all' % texts.bytes),
            '.',
            texts.with(of(records.memoryGrowth) + ' > 0', ' %s more come every hour%s.' % [texts.bytes, tomorrow(records.memorySize, records.memoryGrowth, texts.bytes)]),
            texts.with(of(records.memoryLimit), ' The first instance is at its limit in %s.' % texts.duration),
            texts.with(of(records.memoryAffected), ' In ' + texts.number + texts.ofInstances + texts.largest('memory.leak.size', 'humanize1024 | printf "%sB"') + '.'),
          ]),
          ' Nothing has come of it lately: the processes are gone, or their data is missing.',
        ),
        ' First: see whether goroutines of the service leak as well; they would be the cause. If not, the runbook has the commands that show which line allocates.',
      ]),
    } + alert.section('MemoryLeakProbable') + alert.serviceDashboard,
  };

  records.ofGoroutines + records.ofMemory + [
    leakAlert('GoroutineLeakConfirmed', 'critical', 3, 'leaks goroutines', 'confirmed by the runtime', 'never end', treat),
    leakAlert('GoroutineLeakProbable', 'warning', 2, 'leaks goroutines', 'probable', 'have gathered and do not end', treat),
    leakAlert(
      'GoroutineLeakSuspected',
      'info',
      1,
      'may leak goroutines',
      'suspected',
      'have gathered, and whether they end is not known yet',
      'wait. It becomes probable, or ends by itself.'
    ),
    memory,
  ]
