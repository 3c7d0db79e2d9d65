// Annotations: templates that Prometheus fills in. names are those of a strategy.
function(names) {
  local label(name) = '{{ %s }}' % names.value(name),
  local query(expr) = 'printf `%s` $of | query' % expr,
  local at(name) = '(index $place.Labels "%s")' % names.label(name),

  // asking begins an annotation that asks for series that have all labels of the alert: of(metric)
  // are these. A label that the alert lacks is "", which selects series that lack it, too.
  asking(labels): '{{ $of := printf `%s` %s }}' % [
    std.join(',', ['%s=%%q' % names.quoted(name) for name in labels]),
    std.join(' ', [names.value(name) for name in labels]),
  ],
  of(metric): '%s{%%[1]s}' % metric,

  // with is a text about the value of an expression, where it has one.
  with(expr, text, otherwise=''):
    '{{ with %s }}%s%s{{ end }}' % [query(expr), text, if otherwise == '' then '' else '{{ else }}' + otherwise],

  // What is shown of the value in such a text. A rate below ten has a decimal.
  number: '{{ . | first | value | printf "%.0f" }}',
  rate: '{{ with . | first | value }}{{ if lt . 10.0 }}{{ printf "%.1f" . }}{{ else }}{{ printf "%.0f" . }}{{ end }}{{ end }}',
  bytes: '{{ . | first | value | humanize1024 }}B',
  duration: '{{ . | first | value | humanizeDuration }}',
  time: '{{ . | first | value | humanizeTimestamp | printf "%.16s" }} UTC',
  ofInstances: '{{ if eq (. | first | value) 1.0 }} instance{{ else }} instances{{ end }}',

  // place tells where the goroutines are, of the places that an expression has: at a line, or,
  // where there is no line that all of them share, with which function they were started.
  place(expr):
    self.with(
      expr,
      '{{ $place := . | sortByLabel "%s" | first }}' % names.label('code.function.name')
      + '{{ if %s }}{{ %s }}' % [at(name) for name in ['code.function.name', 'code.function.name']]
      + '{{ with %s }} ({{ . }}{{ with %s }}:{{ . }}{{ end }}){{ end }}' % [at(name) for name in ['code.file.path', 'code.line.number']]
      + '{{ with %s }}, state {{ . }}{{ end }}' % at('goroutine.state')
      + '{{ else if %s }}goroutines started with {{ %s }}' % [at(name) for name in ['goroutine.entry.function.name', 'goroutine.entry.function.name']]
      + '{{ with %s }} ({{ . }}){{ end }}' % at('goroutine.entry.file.path')
      + '{{ else }}an unknown place{{ end }}'
      + '{{ if gt (len .) 1 }}, one of {{ len . }} places{{ end }}',
      'an unknown place',
    ),

  // page is the page of the state of that place; that of all states where there is none.
  page(expr): 'docs/leaks/%s.md' % self.with(
    expr,
    '{{ $place := . | sortByLabel "%s" | first }}{{ or %s "README" }}' % [names.label('code.function.name'), at('goroutine.state')],
    'README',
  ),

  // largest lists the instances in which a metric has the largest values.
  largest(metric, shown='printf "%.0f"'):
    '{{ range $i, $one := %s }}{{ if $i }}, {{ else }}: {{ end }}{{ $one | label "%s" }} ({{ $one | value | %s }}){{ end }}' % [
      query('sort_desc(topk(5, sum %s (%s) > 0))' % [
        names.by(['service.instance.id']),
        names.series(metric, '%[1]s,' + names.quoted('service.instance.id') + '!=""'),
      ]),
      names.label('service.instance.id'),
      shown,
    ],

  label: label,
  service: label('service.name'),
  instance: label('service.instance.id'),

  // dashboard links to a dashboard, with the labels of the alert chosen in it.
  dashboard(url, uid, labels): '%s/d/%s%s' % [
    url,
    uid,
    (if labels == [] then '' else '?') + std.join('&', ['var-%s={{ %s | urlquery }}' % [names.variable(name), names.value(name)] for name in labels]),
  ],
}
