// Annotations: templates that Prometheus renders. names are those of a strategy.
function(names) {
  local label(name) = '{{ %s }}' % names.value(name),
  local query(expr) = 'printf `%s` $of | query' % expr,
  local at(name) = '(index $place.Labels "%s")' % names.label(name),

  // asking starts an annotation that queries series with all labels of the alert, which
  // of(metric) selects. A missing label is "", which selects series without it.
  asking(labels): '{{ $of := printf `%s` %s }}' % [
    std.join(',', ['%s=%%q' % names.quoted(name) for name in labels]),
    std.join(' ', [names.value(name) for name in labels]),
  ],
  of(metric): '%s{%%[1]s}' % metric,

  // with is a text about the value of an expression, if it has one.
  with(expr, text, otherwise=''):
    '{{ with %s }}%s%s{{ end }}' % [query(expr), text, if otherwise == '' then '' else '{{ else }}' + otherwise],

  // Formats of the value in such a text. A rate below ten has a decimal.
  number: '{{ . | first | value | printf "%.0f" }}',
  rate: '{{ with . | first | value }}{{ if lt . 10.0 }}{{ printf "%.1f" . }}{{ else }}{{ printf "%.0f" . }}{{ end }}{{ end }}',
  bytes: '{{ . | first | value | humanize1024 }}B',
  duration: '{{ . | first | value | humanizeDuration }}',
  time: '{{ . | first | value | humanizeTimestamp | printf "%.16s" }} UTC',
  ofInstances: '{{ if eq (. | first | value) 1.0 }} instance{{ else }} instances{{ end }}',

  // place is where the goroutines are, the first of the places of an expression: a line, or their
  // entry function if they share no line.
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

  // page is the page of the state of that place, or that of all states.
  page(expr): 'docs/leaks/%s.md' % self.with(
    expr,
    '{{ $place := . | sortByLabel "%s" | first }}{{ or %s "README" }}' % [names.label('code.function.name'), at('goroutine.state')],
    'README',
  ),

  // largest lists the instances with the largest values of a metric.
  largest(metric, shown='printf "%.0f"'):
    '{{ range $i, $one := %s }}{{ if $i }}, {{ else }}: {{ end }}{{ $one | label "%s" }} ({{ $one | value | %s }}){{ end }}' % [
      query('sort_desc(topk(5, %s > 0))' % names.leaked(
        ['service.instance.id'],
        names.series(metric, '%[1]s,' + names.quoted('service.instance.id') + '!=""'),
      )),
      names.label('service.instance.id'),
      shown,
    ],

  label: label,
  service: label('service.name'),
  instance: label('service.instance.id'),

  // dashboard links to a dashboard with the labels of the alert selected.
  dashboard(url, uid, labels): '%s/d/%s%s' % [
    url,
    uid,
    (if labels == [] then '' else '?') + std.join('&', ['var-%s={{ %s | urlquery }}' % [names.variable(name), names.value(name)] for name in labels]),
  ],
}
