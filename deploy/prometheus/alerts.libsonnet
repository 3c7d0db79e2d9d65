{
  local config = $._config,
  local names = (import '../names.libsonnet').of(config.translationStrategy),
  local texts = (import 'texts.libsonnet')(names),
  local alert = (import 'alert.libsonnet')(config, names, texts),
  local rules = {
    leaks: (import 'leaks.libsonnet')(config, names, texts, alert),
    limits: (import 'limits.libsonnet')(config, names, texts, alert),
    watching: (import 'watching.libsonnet')(config, names, texts, alert),
    collector: (import 'collector.libsonnet')(config, alert),
  },

  prometheusAlerts+:: {
    groups+: [
      { name: 'otel-goroutine-' + name, rules: rules[name] } + (if config.interval == '' then {} else { interval: config.interval })
      for name in std.objectFields(rules)
      if rules[name] != []
    ],
  },
}
