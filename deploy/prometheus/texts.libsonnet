// Annotations: templates that Prometheus fills in. names are those of a strategy.
function(names) {
  local label(name) = '{{ %s }}' % names.value(name),

  // number is the value of a query on the series that have all labels of the alert.
  // A label that the alert lacks is "", which selects series that lack it, too.
  number(aggregation, metric, labels, condition='', format='printf "%.0f"'):
    local matchers = std.join(',', ['%s=%%q' % names.quoted(name) for name in labels]);
    local query = '%s(%s%s)' % [aggregation, names.series(metric, matchers), condition];
    local values = std.join(' ', [names.value(name) for name in labels]);
    '{{ with printf `%s` %s | query }}{{ . | first | value | %s }}{{ else }}?{{ end }}' % [query, values, format],

  // place tells where the goroutines are: at a line, or, where there is no line that
  // all of them share, with which function they were started.
  place:
    '{{ if %s }}' % names.value('code.function.name') + label('code.function.name')
    + ' (%s{{ with %s }}:{{ . }}{{ end }})' % [label('code.file.path'), names.value('code.line.number')]
    + '{{ else if %s }}goroutines started with ' % names.value('goroutine.entry.function.name') + label('goroutine.entry.function.name')
    + '{{ else }}an unknown place{{ end }}',

  // state tells why they wait.
  state: '{{ with %s }}, state {{ . }}{{ end }}' % names.value('goroutine.state'),

  // page is the page of the state; that of all states where there is none.
  page: 'docs/leaks/{{ or %s "README" }}.md' % names.value('goroutine.state'),

  label: label,
  service: label('service.name'),
  instance: label('service.instance.id'),

  dashboard(url, uid): '%s/d/%s?var-service={{ %s | urlquery }}' % [url, uid, names.value('service.name')],
}
