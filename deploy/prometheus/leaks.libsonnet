// Alerts about leaks. None has a `for`: the detector has watched a leak for min_duration before
// it flags it, and a `for` would start again when Prometheus restarts.
function(config, names, texts, alert)
  local records = (import 'records.libsonnet')(config, names, alert);
  local of = texts.of;

  local place = texts.place(of(records.places));
  local tomorrow(now, growth, shown) = texts.with('%s + 24 * %s' % [of(now), of(growth)], ', to %s by this time tomorrow' % shown);

  local description(leaked, first) = std.join('', [
    texts.asking(alert.leak),
    texts.with(
      of(records.count),
      std.join('', [
        texts.number,
        texts.with(of(records.total), ' of the ' + texts.number),
        ' goroutines of %s %s: %s.' % [texts.service, leaked, place],
        texts.with(of(records.start), ' Since %s.' % texts.time),
        texts.with(of(records.growth) + ' > 0', ' Grows by %s an hour%s.' % [texts.rate, tomorrow(records.count, records.growth, texts.number)]),
        if config.goroutineLimit == 0 then '' else texts.with(of(records.limit), ' The first instance reaches %d goroutines in %s.' % [config.goroutineLimit, texts.duration]),
        texts.with(
          of(records.affected),
          ' Affects ' + texts.number + texts.with(of(records.instances), ' of ' + texts.number + texts.ofInstances, texts.ofInstances)
          + texts.largest('goroutine.leak.count') + '.',
        ),
      ]),
      'No recent data for the leaking goroutines of %s: %s. Their processes have exited, or their data is missing.' % [texts.service, place],
    ),
    ' First: ' + first,
  ]);

  local treat = 'check what changed when the leak began. If it was a deploy, roll it back; otherwise follow the runbook. Restarting the instances buys time.';
  local leakAlert(name, severity, threshold, leaks, certainty, leaked, first) = {
    alert: name,
    expr: '%s >= %d' % [records.severity, threshold],
    labels: alert.labels(severity, alert.leak),
    annotations: {
      summary: '%s%s %s (%s): %s.' % [texts.asking(alert.leak), texts.service, leaks, certainty, place],
      description: description(leaked, first),
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
        '%s{{ with %s }} ({{ . }}){{ end }} of %s keeps growing.' % [texts.label('memory.leak.metric'), names.value('go.memory.type'), texts.service],
        texts.with(
          of(records.memorySize),
          std.join('', [
            ' %s are believed leaked' % texts.bytes,
            texts.with(of(records.memoryTotal), ', of %s of Go memory in all' % texts.bytes),
            '.',
            texts.with(of(records.memoryGrowth) + ' > 0', ' Grows by %s an hour%s.' % [texts.bytes, tomorrow(records.memorySize, records.memoryGrowth, texts.bytes)]),
            texts.with(of(records.memoryLimit), ' The first instance reaches its limit in %s.' % texts.duration),
            texts.with(of(records.memoryAffected), ' Affects ' + texts.number + texts.ofInstances + texts.largest('memory.leak.size', 'humanize1024 | printf "%sB"') + '.'),
          ]),
          ' No recent data: the processes have exited, or their data is missing.',
        ),
        ' First: check whether goroutines of the service leak as well; they would be the cause. Otherwise the runbook has the commands that show which line allocates.',
      ]),
    } + alert.section('MemoryLeakProbable') + alert.serviceDashboard,
  };

  records.ofGoroutines + records.ofMemory + [
    leakAlert('GoroutineLeakConfirmed', 'critical', 3, 'leaks goroutines', 'confirmed by the runtime', 'can never exit', treat),
    leakAlert('GoroutineLeakProbable', 'warning', 2, 'leaks goroutines', 'probable', 'have accumulated and do not exit', treat),
    leakAlert(
      'GoroutineLeakSuspected',
      'info',
      1,
      'may leak goroutines',
      'suspected',
      'have accumulated and may not exit',
      'wait. The leak becomes probable, or the alert ends by itself.'
    ),
    memory,
  ]
