// What alerts have in common.
function(config, names, texts) {
  local alert = self,

  // A service, one of its instances, and a leak of it, in however many instances, places and
  // versions. No label changes with a restart, with a deploy, or while a leak grows.
  service: config.scopeLabels + ['service.name'],
  serviceInstance: alert.service + ['service.instance.id'],
  leak: alert.service + ['goroutine.leak.id'],

  // labels are those of an alert beside the ones of its expression. Where names have dots,
  // what Alertmanager groups and inhibits by is there with underscores as well, so that its
  // configuration, and all that reads it, is the same by every naming.
  labels(severity, of=[]): { severity: severity } + {
    [std.strReplace(name, '.', '_')]: '{{ %s }}' % names.value(name)
    for name in of
    if std.setMember(name, std.set(alert.leak)) && names.label(name) != std.strReplace(name, '.', '_')
  },

  // runbook links to a page, and section to that of an alert that is about no state.
  runbook(page): { runbook_url: '%s/%s' % [config.runbookURL, page] },
  section(name): alert.runbook('deploy/prometheus/README.md#' + std.asciiLower(name)),

  local dashboard(uid, labels) = if config.grafanaURL == '' then {} else { dashboard_url: texts.dashboard(config.grafanaURL, uid, labels) },
  serviceDashboard: dashboard(config.dashboardUIDs.service, alert.service),
  fleetDashboard(labels=[]): dashboard(config.dashboardUIDs.fleet, labels),
}
