local build = import 'build.libsonnet';

// One service: what its goroutines do, and which of them leak.
{
  local instance = 'service_name=~"$service",service_instance_id=~"$instance"',
  local place = instance + ',goroutine_stack_signature=~"$signature"',
  local group = 'goroutine_state, code_function_name, code_line_number, goroutine_entry_function_name',
  // Prometheus leaves out what is absent: an entry has no state, function or line.
  local groupLegend = '{{goroutine_state}} {{code_function_name}}:{{code_line_number}} < {{goroutine_entry_function_name}}',
  // More lines than that nobody can tell apart: those that are the largest in the end.
  local largest(expr) = '%s and topk(20, %s)' % [expr % '', expr % ' @ end()'],
  local memory = 'memory_leak_metric, go_memory_type',
  local memoryLegend = '{{memory_leak_metric}} {{go_memory_type}}',
  local instrumented = 'Only of services that use the instrument package.',

  grafanaDashboards+:: {
    'service.json': build.dashboard(
      $._config.dashboardUIDs.service,
      'Goroutine leaks: service',
      'What the goroutines of a service do, and which of them leak.',
      [
        build.variable('service', 'go_goroutine_count', 'service_name'),
        build.variable('instance', 'go_goroutine_count{service_name=~"$service"}', 'service_instance_id'),
        build.variable('signature', 'goroutine_stack_count{%s}' % instance, 'goroutine_stack_signature'),
      ],
      [
        build.band('Severity', [build.query('max by (%s) (goroutine_leak_severity{%s})' % [group, instance], groupLegend)], 'Of each leak the worst instance.'),
        build.lines('Leaked goroutines', [build.query('sum by (%s) (goroutine_leak_count{%s})' % [group, instance], groupLegend)]),
        build.lines('Growth per hour', [build.query('sum by (%s) (goroutine_leak_growth_rate{%s})' % [group, instance], groupLegend)]),
        build.band('Severity of memory', [build.query('max by (%s) (memory_leak_severity{%s})' % [memory, instance], memoryLegend)], 'Of each metric of memory the worst instance. Empty as long as none is suspected.') + { gridPos+: { h: 4 } },
        build.lines('Leaked memory', [build.query('sum by (%s) (memory_leak_size{%s})' % [memory, instance], memoryLegend)], 'bytes'),
        build.lines('Growth of memory per hour', [build.query('sum by (%s) (memory_leak_growth_rate{%s})' % [memory, instance], memoryLegend)], 'bytes'),
        build.lines('Goroutines by signature', [build.query(largest('sum by (%s) (goroutine_stack_count{%s}%%s)' % [group, place]), groupLegend)]),
        build.lines('Aged goroutines by signature', [build.query(largest('sum by (%s) (goroutine_stack_aged_count{%s}%%s)' % [group, place]), groupLegend)], description='First seen aged_after ago, or earlier.'),
        build.lines('Exits of aged goroutines by signature', [build.query(largest('sum by (%s) (rate(goroutine_stack_aged_exits{%s}[$__rate_interval]%%s))' % [group, place]), groupLegend)], 'cps', 'A group in which aged goroutines arrive and none ever leaves is a leak.'),
        build.lines('Goroutines by state', [build.query('sum by (goroutine_state) (goroutine_stack_count{%s})' % instance, '{{goroutine_state}}')]),
        build.lines('Goroutines by instance', [build.query('sum by (service_instance_id) (go_goroutine_count{%s})' % instance, '{{service_instance_id}}')]),
        build.lines('Goroutines created', [build.query('sum by (service_instance_id) (rate(goroutine_creations{%s}[$__rate_interval]))' % instance, '{{service_instance_id}}')], 'cps'),
        build.lines('Goroutines by what the scheduler does with them', [build.query('sum by (goroutine_state) (goroutine_state_count{%s})' % instance, '{{goroutine_state}}')], description=instrumented),
        build.lines('Memory', [build.query('sum by (service_instance_id, go_memory_type) (go_memory_used{%s})' % instance, '{{service_instance_id}} {{go_memory_type}}')], 'bytes', instrumented),
        build.lines('CPU', [build.query('sum by (service_instance_id, cpu_mode) (rate(process_cpu_time{%s}[$__rate_interval]))' % instance, '{{service_instance_id}} {{cpu_mode}}')], 'percentunit', instrumented + ' 100% is one CPU.'),
        build.lines('Scrapes', [build.query('max by (service_instance_id, goroutine_scrape_source) (goroutine_scrape_duration{%s})' % instance, '{{service_instance_id}} {{goroutine_scrape_source}}')], 's', 'How long it took to scrape. Only of services that are scraped.'),
      ],
    ),
  },
}
