#!/usr/bin/env bash
# Checks that the rendered rules and dashboards are current, renders them with each naming
# strategy, parses them, and runs the unit tests of the rules.
#
#	alerts-check.sh <jsonnet> <folder to render to>
set -eu -o pipefail

jsonnet=$1
folder=$2
scripts/render-mixin.sh "$jsonnet" "$folder/default"
for file in prometheus/alerts.yaml grafana/fleet.json grafana/service.json kubernetes/monitoring/rules.yaml kubernetes/monitoring/dashboards.yaml; do
	diff "deploy/$file" "$folder/default/$file" || {
		echo "not current: make mixin"
		exit 1
	}
done

# The translation strategies from OpenTelemetry to Prometheus names, the default first. The unit
# tests use the default names. Debian's promtool does not support names with dots.
with_suffixes=UnderscoreEscapingWithSuffixes
without_suffixes=UnderscoreEscapingWithoutSuffixes
namings=("$with_suffixes" "$without_suffixes" NoUTF8EscapingWithSuffixes NoTranslation)
every_alert="grafanaURL: 'http://127.0.0.1:3000', goroutineLimit: 1000, memoryLimitMiB: 100"
for naming in "${namings[@]}"; do
	scripts/render-mixin.sh "$jsonnet" "$folder/$naming" "$every_alert, translationStrategy: '$naming'"
done
cp deploy/prometheus/alerts_test.yaml "$folder/$with_suffixes/prometheus/"
sed -E 's/(_total|_bytes|_bytes_per_hour|_per_hour|_seconds)\{/{/' deploy/prometheus/alerts_test.yaml > "$folder/$without_suffixes/prometheus/alerts_test.yaml"
for naming in "$with_suffixes" "$without_suffixes"; do
	promtool check rules "$folder/$naming/prometheus/alerts.yaml"
	promtool test rules "$folder/$naming/prometheus/alerts_test.yaml"
done
go -C deploy/check run . "$folder/default" "${namings[@]/#/$folder/}"
amtool check-config deploy/prometheus/alertmanager.yaml
