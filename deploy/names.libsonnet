// The names of metrics and labels in Prometheus. Rules and dashboards are written with
// OpenTelemetry names, which this file translates.

// The suffixes by type and unit.
local suffixes = {
  'go.goroutine.count': '',
  'go.memory.limit': '_bytes',
  'go.memory.used': '_bytes',
  'goroutine.creations': '_total',
  'goroutine.entry.aged.count': '',
  'goroutine.entry.aged.exits': '_total',
  'goroutine.entry.count': '',
  'goroutine.leak.age.min': '_seconds',
  'goroutine.leak.count': '',
  'goroutine.leak.ended': '_total',
  'goroutine.leak.exits': '',
  'goroutine.leak.growth_rate': '_per_hour',
  'goroutine.leak.service.count': '',
  'goroutine.leak.service.growth_rate': '_per_hour',
  'goroutine.leak.service.instance.count': '',
  'goroutine.leak.service.severity': '',
  'goroutine.leak.severity': '',
  'goroutine.leak.start_time': '_seconds',
  'goroutine.origin.sampled.creations': '_total',
  'goroutine.origin.sampled.lifetime': '_seconds',
  'goroutine.origin.sampled.wakeups': '_total',
  'goroutine.origin.traced': '_seconds_total',
  'goroutine.process.build': '',
  'goroutine.sample.duration': '_seconds',
  'goroutine.sample.interval': '_seconds',
  'goroutine.scrape.duration': '_seconds',
  'goroutine.scrape.failures': '_total',
  'goroutine.scrape.up': '',
  'goroutine.service.instance.count': '',
  'goroutine.stack.aged.count': '',
  'goroutine.stack.aged.exits': '_total',
  'goroutine.stack.count': '',
  'goroutine.stack.leaked.count': '',
  'goroutine.state.count': '',
  'memory.leak.growth_rate': '_bytes_per_hour',
  'memory.leak.severity': '',
  'memory.leak.size': '_bytes',
  'process.cpu.time': '_seconds_total',
};

// The properties of each translation strategy.
local strategies = {
  UnderscoreEscapingWithSuffixes: { dots: false, suffixes: true },
  UnderscoreEscapingWithoutSuffixes: { dots: false, suffixes: false },
  NoUTF8EscapingWithSuffixes: { dots: true, suffixes: true },
  NoTranslation: { dots: true, suffixes: false },
};

local has(text, part) = std.length(std.findSubstr(part, text)) > 0;

{
  of(strategy): {
    local how = strategies[strategy],
    local flat(name) = if how.dots then name else std.strReplace(name, '.', '_'),

    // metric is the name of a metric.
    metric(name): flat(name) + (if how.suffixes then suffixes[name] else ''),

    // label is the name of a label, and quoted is that name in an expression.
    label(name): flat(name),
    quoted(name): if has(flat(name), '.') then '"%s"' % flat(name) else flat(name),

    // series selects the series of a metric, optionally narrowed by matchers.
    series(name, matchers=''):
      local metric = self.metric(name);
      if has(metric, '.') then '{%s}' % std.join(',', ['"%s"' % metric] + (if matchers == '' then [] else [matchers]))
      else metric + (if matchers == '' then '' else '{%s}' % matchers),

    // anyOf selects the series of several metrics.
    anyOf(metrics, matchers):
      '{%s}' % std.join(',', ['__name__=~"%s"' % std.join('|', [self.metric(m) for m in metrics])] + (if matchers == '' then [] else [matchers])),

    // labels is a list of labels in an expression, and by is the clause that groups by them.
    labels(of): '(%s)' % std.join(', ', [self.quoted(name) for name in of]),
    by(of): 'by ' + self.labels(of),

    // goroutines is the number of goroutines by labels: the reported count, or else the sum over
    // stacks. select(metric) selects series.
    goroutines(select, labels):
      '(max %s (%s) or sum %s (%s))' % [self.by(labels), select('go.goroutine.count'), self.by(labels), select('goroutine.stack.count')],

    // leaked is the sum of what leaks over the places of a leak. An entry function counts the
    // goroutines at all of its lines, so entries are not added to lines: the larger sum counts.
    leaked(labels, selected):
      'max %s (sum %s (label_replace(%s, "goroutine_place", "line", "%s", ".+")))' % [
        self.by(labels),
        self.by(labels + ['goroutine_place']),
        selected,
        self.label('code.function.name'),
      ],

    // variable is the name of the dashboard variable that selects a label.
    variable(name): std.get(
      { 'service.name': 'service', 'service.instance.id': 'instance', 'goroutine.stack.signature': 'signature' },
      name,
      std.strReplace(name, '.', '_'),
    ),

    // value is the value of a label in a Prometheus template, without braces.
    value(name): if has(flat(name), '.') then '(index $labels "%s")' % flat(name) else '$labels.' + flat(name),
  },
}
