// The building blocks of both dashboards: JSON for Grafana 10 or later. names are those of a
// strategy.
function(names) {
  local self_ = self,
  local source = { type: 'prometheus', uid: '${datasource}' },

  // query is the expression of a panel with a legend for its series. By default data arrives once
  // a minute, so $__rate_interval must span several minutes.
  query(expr, legend=''): { expr: expr, legendFormat: legend, interval: '1m' },

  // variable selects values of a label. All includes series without the label.
  variable(name, series, label): local flat = names.quoted(label) == names.label(label); {
    name: name,
    label: name,
    type: 'query',
    datasource: source,
    // label_values does not support labels with dots.
    query: {
      query: if flat then 'label_values(%s, %s)' % [series, names.label(label)]
      else 'query_result(group %s (%s))' % [names.by([label]), series],
      refId: name,
    },
    [if !flat then 'regex']: '/="([^"]*)"/',
    refresh: 2,  // when the time range changes
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { text: ['All'], value: ['$__all'] },
  },

  // chosen are the matchers for the selected values of some labels.
  chosen(labels): std.join(',', ['%s=~"$%s"' % [names.quoted(label), names.variable(label)] for label in labels]),

  // variables select values of some labels, each restricted by those before it.
  variables(labels): [
    self.variable(
      names.variable(labels[i]),
      names.anyOf(['go.goroutine.count', 'goroutine.stack.count'], self.chosen(labels[:i])),
      labels[i],
    )
    for i in std.range(0, std.length(labels) - 1)
  ],

  panel(type, title, queries, unit='short', description='', height=8, width=12): {
    type: type,
    title: title,
    description: description,
    datasource: source,
    targets: [
      queries[i] { refId: std.char(65 + i), datasource: source }
      for i in std.range(0, std.length(queries) - 1)
    ],
    fieldConfig: { defaults: { unit: unit }, overrides: [] },
    options: {},
    gridPos: { h: height, w: width },
  },

  lines(title, queries, unit='short', description=''):
    self.panel('timeseries', title, queries, unit, description) {
      fieldConfig+: { defaults+: { min: 0, custom: { fillOpacity: 10, showPoints: 'never' } } },
      options: { legend: { displayMode: 'table', placement: 'bottom', calcs: ['last'] }, tooltip: { mode: 'multi', sort: 'desc' } },
    },

  stat(title, expr, description=''):
    self.panel('stat', title, [self.query(expr) { instant: true, range: false }], description=description, height=4, width=6) {
      options: { reduceOptions: { calcs: ['lastNotNull'] }, colorMode: 'value', graphMode: 'none' },
    },

  // Colors of a stat in which any value above 0 needs attention.
  alarming: {
    fieldConfig+: { defaults+: { thresholds: { mode: 'absolute', steps: [{ color: 'green', value: null }, { color: 'red', value: 1 }] } } },
  },

  local severity(number, text, color) = { [std.toString(number)]: { index: number, text: text, color: color } },
  local severities = [
    {
      type: 'value',
      options: severity(0, 'none', 'green') + severity(1, 'suspected', 'yellow') + severity(2, 'probable', 'orange') + severity(3, 'confirmed', 'red'),
    },
  ],

  // band shows severity over time, one row per series.
  band(title, queries, description=''):
    self.panel('state-timeline', title, queries, description=description, width=24) {
      fieldConfig+: { defaults+: { mappings: severities, custom: { fillOpacity: 80, lineWidth: 0 } } },
      options: { mergeValues: true, showValue: 'never', rowHeight: 0.8, legend: { showLegend: false } },
    },

  // table shows one row per set of labels, with a column for each query. Columns are pairs of a
  // title and an expression.
  table(title, columns, description=''):
    self.panel(
      'table',
      title,
      [self.query(column[1]) { format: 'table', instant: true, range: false } for column in columns],
      description=description,
      width=24,
    ) {
      transformations: [
        { id: 'merge', options: {} },
        {
          id: 'organize',
          options: {
            excludeByName: { Time: true },
            renameByName: { ['Value #' + std.char(65 + i)]: columns[i][0] for i in std.range(0, std.length(columns) - 1) },
          },
        },
      ],
      fieldConfig+: { overrides: [{ matcher: { id: 'byName', options: 'severity' }, properties: [{ id: 'mappings', value: severities }] }] },
    },

  // needsInstrument marks a panel whose metrics only the process itself reports.
  needsInstrument: {
    title+: ' (needs instrument)',
    description: 'Only for services that import the instrument package. ' + super.description,
    fieldConfig+: { defaults+: { noValue: 'needs instrument' } },
  },

  // legend shows the values of labels.
  legend(labels): std.join(' ', ['{{%s}}' % names.label(name) for name in labels]),

  // field is the value of a label in a link, from a series or a row.
  field(of, label): '${__%s%s}' % [of, if names.quoted(label) == names.label(label) then '.' + names.label(label) else '["%s"]' % names.label(label)],

  // link opens the dashboard of a service with the current time range and data source. of is where
  // the labels of the service come from.
  link(uid, of, labels): {
    title: 'This service',
    url: '/d/%s?var-datasource=${datasource}&%s&${__url_time_range}' % [
      uid,
      std.join('&', ['var-%s=%s' % [names.variable(label), self_.field(of, label)] for label in labels]),
    ],
  },

  // dashboard places the panels from left to right, row by row.
  dashboard(uid, title, description, variables, panels): {
    local place(placed, panel) =
      local before = if placed == [] then { x: 0, y: 0, w: 0, h: 0 } else placed[std.length(placed) - 1].gridPos;
      local fits = before.x + before.w + panel.gridPos.w <= 24;
      placed + [panel {
        id: std.length(placed) + 1,
        gridPos+: if fits then { x: before.x + before.w, y: before.y } else { x: 0, y: before.y + before.h },
      }],
    uid: uid,
    title: title,
    description: description,
    tags: ['otel-goroutine'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '1m',
    time: { from: 'now-24h', to: 'now' },
    templating: {
      list: [{ name: 'datasource', label: 'data source', type: 'datasource', query: 'prometheus', current: {} }] + variables,
    },
    panels: std.foldl(place, panels, []),
  },
}
