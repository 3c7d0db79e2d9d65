// Annotations: templates that Prometheus fills in.
{
  local label(name) = '{{ $labels.%s }}' % name,

  // number is the value of a query on the series that have all labels of the alert.
  // A label that the alert lacks is "", which selects series that lack it, too.
  number(aggregation, metric, labels, condition='', format='printf "%.0f"'):
    local selector = std.join(',', ['%s=%%q' % name for name in labels]);
    local query = '%s(%s{%s}%s)' % [aggregation, metric, selector, condition];
    local values = std.join(' ', ['$labels.' + name for name in labels]);
    '{{ with printf `%s` %s | query }}{{ . | first | value | %s }}{{ else }}?{{ end }}' % [query, values, format],

  // place tells where the goroutines are: at a line, or, where there is no line that
  // all of them share, with which function they were started.
  place:
    '{{ if $labels.code_function_name }}' + label('code_function_name')
    + ' ({{ $labels.code_file_path }}{{ with $labels.code_line_number }}:{{ . }}{{ end }})'
    + '{{ else if $labels.goroutine_entry_function_name }}goroutines started with ' + label('goroutine_entry_function_name')
    + '{{ else }}an unknown place{{ end }}',

  // state tells why they wait.
  state: '{{ with $labels.goroutine_state }}, state {{ . }}{{ end }}',

  // page is the page of the state; that of all states where there is none.
  page: 'docs/leaks/{{ or $labels.goroutine_state "README" }}.md',

  service: label('service_name'),
  instance: label('service_instance_id'),

  dashboard(url, uid): '%s/d/%s?var-service={{ $labels.service_name | urlquery }}' % [url, uid],
}
