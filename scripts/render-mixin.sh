#!/usr/bin/env bash
# Renders the alert rules and the dashboards, as files and as Kubernetes objects.
#
#	render-mixin.sh <jsonnet> <folder> [<parameters of the mixin, as fields of jsonnet>]
set -eu -o pipefail

jsonnet=$1
folder=$2
mixin="((import 'deploy/mixin.libsonnet') + (import 'deploy/kubernetes/monitoring.libsonnet') + {_config+:: {${3-}}})"
mkdir -p "$folder/prometheus" "$folder/grafana" "$folder/kubernetes/monitoring"
"$jsonnet" -S -o "$folder/prometheus/alerts.yaml" -e "std.manifestYamlDoc($mixin.prometheusAlerts, quote_keys=false)"
"$jsonnet" -m "$folder/grafana" -e "$mixin.grafanaDashboards" > /dev/null
"$jsonnet" -S -o "$folder/kubernetes/monitoring/rules.yaml" -e "std.manifestYamlDoc($mixin.prometheusRule, quote_keys=false)"
"$jsonnet" -S -o "$folder/kubernetes/monitoring/dashboards.yaml" -e "std.manifestYamlStream($mixin.dashboardConfigMaps, quote_keys=false, c_document_end=false)"
