local build = import 'build.libsonnet';

// Which services leak, how fast, in how many instances.
{
  local uids = $._config.dashboardUIDs,
  local of = 'service_name=~"$service"',
  local leak = 'service_name, goroutine_state, code_function_name, code_file_path, code_line_number, goroutine_entry_function_name',
  local toService = {
    fieldConfig+: { defaults+: { links: [build.link(uids.service, '${__field.labels.service_name}')] } },
  },

  grafanaDashboards+:: {
    'fleet.json': build.dashboard(
      uids.fleet,
      'Goroutine leaks: fleet',
      'Which services leak goroutines, how fast, and in how many instances.',
      [build.variable('service', 'go_goroutine_count', 'service_name')],
      [
        build.stat('Services that leak', 'count(max by (service_name) (goroutine_leak_severity{%s}) >= 2) or vector(0)' % of, 'Probable or confirmed.') + build.alarming,
        build.stat('Services under suspicion', 'count(max by (service_name) (goroutine_leak_severity{%s}) == 1) or vector(0)' % of),
        build.stat('Services watched', 'count(count by (service_name) (go_goroutine_count{%s}))' % of),
        build.stat('Targets down', 'count(max by (service_name, service_instance_id) (goroutine_scrape_up{%s}) == 0) or vector(0)' % of, 'Their profiles cannot be scraped.') + build.alarming,
        build.band('Severity', [build.query(
          'max by (service_name) (goroutine_leak_severity{%(of)s}) or 0 * max by (service_name) (go_goroutine_count{%(of)s})' % { of: of },
          '{{service_name}}',
        )], 'The worst leak of each service.'),
        build.table('Leaks', [
          ['severity', 'max by (%s) (goroutine_leak_severity{%s}) > 0' % [leak, of]],
          ['instances', 'count by (%s) (goroutine_leak_severity{%s} > 0)' % [leak, of]],
          ['goroutines', 'sum by (%s) (goroutine_leak_count{%s}) > 0' % [leak, of]],
          ['per hour', 'sum by (%s) (goroutine_leak_growth_rate{%s}) > 0' % [leak, of]],
        ], 'What leaks now, by its place in the code.') + {
          fieldConfig+: { defaults+: { links: [build.link(uids.service, '${__data.fields.service_name}')] } },
        },
        build.lines('Leaked goroutines', [build.query('sum by (service_name) (goroutine_leak_count{%s})' % of, '{{service_name}}')]) + toService,
        build.lines('Growth per hour', [build.query('sum by (service_name) (goroutine_leak_growth_rate{%s})' % of, '{{service_name}}')]) + toService,
        build.lines('Instances that leak', [build.query(
          'count by (service_name) (max by (service_name, service_instance_id) (goroutine_leak_severity{%s}) >= 2)' % of,
          '{{service_name}}',
        )]) + toService,
        build.lines('Goroutines', [build.query('sum by (service_name) (go_goroutine_count{%s})' % of, '{{service_name}}')], description='All of them, leaked or not.') + toService,
      ],
    ),
  },
}
