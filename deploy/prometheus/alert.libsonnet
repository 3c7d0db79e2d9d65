// Common parts of alerts.
function(config, names, texts) {
  local alert = self,

  // Labels of a service, of one of its instances, and of one of its leaks, over all instances,
  // places and versions. No label changes with a restart, with a deploy, or while a leak grows.
  service: config.scopeLabels + ['service.name'],
  serviceInstance: alert.service + ['service.instance.id'],
  leak: alert.service + ['goroutine.leak.id'],

  // labels are the labels of an alert in addition to those of its expression. If names have dots,
  // the labels that Alertmanager groups and inhibits by also exist with underscores, so that its
  // configuration is the same for every naming.
  labels(severity, of=[]): { severity: severity } + {
    [std.strReplace(name, '.', '_')]: '{{ %s }}' % names.value(name)
    for name in of
    if std.setMember(name, std.set(alert.leak)) && names.label(name) != std.strReplace(name, '.', '_')
  },

  // runbook links to a page, and section to the section of an alert that is about no state.
  runbook(page): { runbook_url: '%s/%s' % [config.runbookURL, page] },
  section(name): alert.runbook('deploy/prometheus/README.md#' + std.asciiLower(name)),

  local dashboard(uid, labels) = if config.grafanaURL == '' then {} else { dashboard_url: texts.dashboard(config.grafanaURL, uid, labels) },
  serviceDashboard: dashboard(config.dashboardUIDs.service, alert.service),
  fleetDashboard(labels=[]): dashboard(config.dashboardUIDs.fleet, labels),
}
