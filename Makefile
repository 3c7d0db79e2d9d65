# All targets for people and CI. `make help` lists them.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

# Modules are built with the versions in their own go.mod; a go.work is ignored.
export GOWORK := off

ROOT := $(CURDIR)
BIN := $(ROOT)/bin
TOOLS := $(BIN)/tools
COLLECTOR := $(BIN)/otelcol-goroutine
LEAN := $(BIN)/otelcol-goroutine-lean

# Every module of the project; those in testdata belong to fixtures.
MODULES := $(shell find . -name go.mod -not -path './dist/*' -not -path './bin/*' -not -path '*/testdata/*' -exec dirname {} \; | sort)
# Without the tools, without e2e, which needs the collector or its sources, and without Prometheus'
# receiver, which takes minutes to compile.
TESTED := $(filter-out ./internal/tools% ./e2e% ./bench/scrape/prometheus,$(MODULES))

# Sources of the collectors.
COLLECTOR_SOURCES := go.mod go.sum scripts/compile.sh scripts/distribution.sh $(shell find internal docs receiver processor connector exporter extension \( -name '*.go' -o -name go.mod -o -name go.sum \) \
	-not -name '*_test.go' -not -path 'internal/tools/*' -not -path '*/testdata/*') $(wildcard docs/leaks/*.md internal/page/assets/* internal/tools/noaws/*/*.go)

# Minimum test coverage of a module, in per cent of its statements.
COVERAGE := 85
# Generated files are neither formatted nor included in coverage.
GENERATED := /generated_[^/]*\.go

FUZZTIME ?= 30s
BENCHTIME ?= 1s

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: ## Find the leaks of an example service with goroutine-leaks, in the terminal and on a page; a minute
	@mkdir -p $(BIN)
	@scripts/demo.sh $(BIN)

.PHONY: goroutine-leaks
goroutine-leaks: ## Build the command, bin/goroutine-leaks
	@mkdir -p $(BIN)
	@go -C cmd/goroutine-leaks build -o $(BIN)/goroutine-leaks .

.PHONY: demo-collector
demo-collector: collector ## Find the same leaks with the built collector and its page (DEMO_CAPTURE); a minute, after it is built
	@scripts/demo-collector.sh $(BIN)

.PHONY: collector
collector: $(COLLECTOR) ## Build the collector distribution, bin/otelcol-goroutine

.PHONY: lean
lean: $(LEAN) ## Build the lean distribution, without Kubernetes and load balancing, bin/otelcol-goroutine-lean

$(COLLECTOR): builder-config.yaml $(COLLECTOR_SOURCES) | $(TOOLS)/builder
	@scripts/distribution.sh $(TOOLS)/builder collector $@

$(LEAN): builder-config.lean.yaml $(COLLECTOR_SOURCES) | $(TOOLS)/builder
	@scripts/distribution.sh $(TOOLS)/builder lean $@

# For images. PLATFORM is the target platform.
.PHONY: static
static: | $(TOOLS)/builder ## Build a distribution for another platform (TARGET: collector or lean; PLATFORM, OUT)
	@scripts/distribution.sh $(TOOLS)/builder $(TARGET) $(OUT) $(PLATFORM)

.PHONY: image
image: | $(TOOLS)/builder ## Write images of both distributions for amd64 and arm64, and SBOMs, to bin/image, without Docker; 15 minutes the first time
	@scripts/images.sh $(TOOLS)/builder $(BIN)/image

.PHONY: test
test: ## Run the tests of every module, with the race detector
	@scripts/test.sh $(TESTED)
	@echo "== ./instrument, with the runtime's leak profile"
	@GOEXPERIMENT=goroutineleakprofile go test ./instrument -run LeakProfile

.PHONY: cover
cover: ## Show the test coverage of each module without generated code; fail below COVERAGE
	@scripts/cover.sh $(COVERAGE) '$(GENERATED)' $(TESTED)

# Platforms on which package instrument is supported.
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: cross
cross: ## Build and vet package instrument for each platform
	@scripts/cross.sh $(PLATFORMS)

.PHONY: compat
compat: ## Test instrument with the lowest and the newest versions of Go and OpenTelemetry in the table of its README
	@scripts/compat.sh

.PHONY: servers
servers: ## Install missing servers for the tests of the alerts
	@scripts/install.sh "the tests of the alerts" prometheus prometheus-alertmanager victoria-metrics

# The tests with hostile targets measure memory and deadlines, so they run alone. The others wait
# for timers, and run in parallel.
.PHONY: e2e
e2e: collector lean servers ## Test the built collector: example configurations, real processes, hostile targets, alerts; 10 minutes
	@go -C e2e test -race -count=1 ./hostile/...
	@go -C e2e test -race -count=1 -p 1 -parallel 6 -timeout 15m . ./alerts ./findings ./manifests ./origins
	@CGO_ENABLED=0 go -C e2e/kafka test -trimpath -count=1 .

.PHONY: page-check
page-check: ## Test the page in Chromium: accessibility, keyboard, hostile names, speed; a minute on an idle machine
	@scripts/page-check.sh

.PHONY: page-pictures
page-pictures: ## Make the pictures of the page for the documentation, docs/page*.png
	@scripts/page-check.sh $(ROOT)/docs

.PHONY: origins-check
origins-check: ## Check the origins of each example leak, in services built in seven ways; 2 minutes
	@go -C e2e test -count=1 -v ./origins -all-builds | grep -E '^ +origins_test|^(---|ok|FAIL)'

.PHONY: e2e-long
e2e-long: collector ## Kill the collector 50 times, and damage its state at every byte; 6 minutes
	@go -C e2e test -count=1 -timeout 30m -v -run '^(TestRepeatedKills|TestTruncatedFile|TestCorruptByte)$$' . -long

# Debian's Prometheus does not accept OTLP. Tests that need this one are skipped without it.
.PHONY: prometheus
prometheus: $(TOOLS)/prometheus ## Build a Prometheus that accepts OTLP, for alerts-e2e; 5 minutes the first time

# Servers that do not leak, at the versions in internal/tools/servers, and Prometheus.
HEALTHY := nats-server etcd alertmanager victoria-metrics caddy

.PHONY: healthy-check
healthy-check: $(addprefix $(TOOLS)/,$(HEALTHY) prometheus) ## Watch real servers under load with goroutine-leaks, which must find nothing; 8 minutes, 20 the first time
	@go -C e2e test -count=1 -parallel 6 -timeout 20m -v ./healthy | sed -nE 's/^ +trial_test.go:[0-9]+: (\|)/\1/p; s/^ +(\|)/\1/p; /^[[:space:]]*(---|ok|FAIL|Error:|Messages:)/p'

.PHONY: alerts-e2e
alerts-e2e: collector servers ## Test alerts and dashboards on real servers, as part of e2e does; 3 minutes
	@go -C e2e test -race -count=1 -parallel 4 -v ./alerts | grep -vE '^=== '

# The most common parameters of the mixin; deploy/config.libsonnet has all.
MIXIN_OUT ?= deploy
PARAMETERS = $(if $(GRAFANA_URL),grafanaURL: '$(GRAFANA_URL)'$(,)) $(if $(GOROUTINE_LIMIT),goroutineLimit: $(GOROUTINE_LIMIT)$(,)) \
	$(if $(MEMORY_LIMIT_MIB),memoryLimitMiB: $(MEMORY_LIMIT_MIB)$(,)) $(if $(NAMING),translationStrategy: '$(NAMING)')
, := ,

.PHONY: mixin
mixin: $(TOOLS)/jsonnet ## Render alert rules and dashboards (MIXIN_OUT, GRAFANA_URL, GOROUTINE_LIMIT, MEMORY_LIMIT_MIB, NAMING)
	@scripts/render-mixin.sh $(TOOLS)/jsonnet $(MIXIN_OUT) "$(PARAMETERS)"

.PHONY: alerts-check
alerts-check: servers $(TOOLS)/jsonnet ## Check that rendered rules and dashboards are current, parse them with each naming, and unit test the rules
	@scripts/alerts-check.sh $(TOOLS)/jsonnet $(BIN)/mixin

SOAK_MINUTES ?= 30

.PHONY: soak
soak: collector ## Soak the built collector with 500 targets and a failing backend (SOAK_MINUTES)
	@go -C e2e test -count=1 -timeout $$(($(SOAK_MINUTES) + 15))m -v -run '^TestSoak$$' . -soak $(SOAK_MINUTES)m

.PHONY: bench
bench: ## Measure the figures in the documentation, each against its peer in the same run
	@scripts/bench.sh $(BENCHTIME)

.PHONY: scrape-bench
scrape-bench: ## Measure what it costs to scrape up to 20,000 targets, beside contrib's prometheus receiver; 20 minutes on a machine that does nothing else
	@go -C bench/scrape/prometheus build -o $(BIN)/bench-prometheus .
	@go -C bench run ./scrape -peer $(BIN)/bench-prometheus -write results/scraping.json

.PHONY: scale-bench
scale-bench: ## Measure detecting at scale beside its peer; write bench/results, the tables in README.md and docs/scaling.md, and docs/growth.svg; 5 minutes
	@go -C bench run ./streams -write results/detecting.json
	@go -C bench run ./table

.PHONY: detect-bench
detect-bench: ## Replay simulated leaks and healthy loads through the detector and its rivals; write the table and the drawing; 3 to 6 minutes
	@go -C bench run ./detect -write detect/result.txt
	@go -C bench run ./detect -draw ../docs/census.svg

.PHONY: detect-check
detect-check: ## Check with the first 20 cases of each family that the table of make detect-bench is current; a minute and a half
	@go -C bench run ./detect -check detect/result.txt

.PHONY: fuzz
fuzz: ## Fuzz every parser for FUZZTIME each; failing inputs become seeds in testdata/fuzz
	@scripts/fuzz.sh $(FUZZTIME)

.PHONY: lint
lint: $(TOOLS)/golangci-lint $(TOOLS)/gofumpt $(TOOLS)/multimod $(TOOLS)/actionlint ## Check format, linters, imports between packages, goleak in all tests, versions, changelog, links, workflows, tidiness, and generated files
	@scripts/check-format.sh $(TOOLS)/gofumpt '$(GENERATED)'
	@scripts/check-goleak.sh
	@scripts/changelog.sh check
	@scripts/check-threats.sh
	@scripts/draw-house.sh | diff docs/house.md - || { echo "docs/house.md is not current (make house)"; exit 1; }
	@scripts/check-links.sh
	@scripts/check-versions.sh $(TOOLS)/multimod
	@$(TOOLS)/actionlint
	@scripts/check-modules.sh $(MODULES)
	@scripts/lint-modules.sh $(TOOLS)/golangci-lint $(TESTED) ./e2e ./e2e/kafka
	@scripts/check-generated.sh $(TOOLS)

.PHONY: vuln
vuln: $(TOOLS)/govulncheck ## Check for known vulnerabilities in called code, if their database can be reached
	@scripts/vuln.sh $(TOOLS)/govulncheck $(TESTED)

.PHONY: generate
generate: $(TOOLS)/mdatagen ## Generate the metadata of the components, docs/metrics.md and the list of standard packages
	@scripts/generate.sh $(TOOLS)

.PHONY: house
house: ## Draw the page of packages and their imports, docs/house.md
	@mkdir -p $(BIN)
	@scripts/draw-house.sh > $(BIN)/house.md && mv $(BIN)/house.md docs/house.md

RELEASE_TOOLS := $(addprefix $(TOOLS)/,multimod gorelease)
ARTIFACTS := $(BIN)/artifacts

.PHONY: release
release: $(RELEASE_TOOLS) ## Prepare release VERSION: make its commits on a branch, test them as a user would, print the commands that publish it; 3 to 10 minutes
	@scripts/release.sh $(TOOLS) $(or $(VERSION),$(error VERSION is required: make release VERSION=v0.2.0))

.PHONY: release-check
release-check: $(RELEASE_TOOLS) ## Try the next release without leaving files; 3 to 10 minutes
	@scripts/release.sh $(TOOLS)

.PHONY: published-check
published-check: ## Test the published VERSION as a user would, from the module proxy
	@scripts/check-published.sh $(or $(VERSION),$(error VERSION is required: make published-check VERSION=v0.2.0))

.PHONY: artifacts
artifacts: $(TOOLS)/builder $(TOOLS)/cyclonedx-gomod ## Build the artifacts of tag VERSION with SBOMs and checksums, into bin/artifacts; 20 minutes
	@scripts/artifacts.sh $(TOOLS) $(or $(VERSION),$(error VERSION is required: make artifacts VERSION=v0.2.0)) $(ARTIFACTS) $(PLATFORMS)

.PHONY: artifacts-check
artifacts-check: artifacts ## Build the artifacts of tag VERSION twice, and compare; 40 minutes
	@scripts/artifacts-check.sh $(TOOLS) $(VERSION) $(ARTIFACTS) $(PLATFORMS)

.PHONY: targets-check
targets-check: ## Scrape a service built with each Go version in the table of docs/own-collector.md
	@go -C receiver/goroutinereceiver test -run TestTargetsOfEachGo -count=1 -v . -every-go | grep -E "^ *(---|ok|FAIL)|versions_test"

.PHONY: drift
drift: ## Build and test the components with the newest collector modules, as listed in docs/own-collector.md
	@scripts/drift.sh

.PHONY: format
format: $(TOOLS)/gofumpt ## Format the code
	@$(TOOLS)/gofumpt -w $$(git ls-files -co --exclude-standard '*.go' | grep -vE '$(GENERATED)')

.PHONY: clean
clean: ## Delete build outputs
	@rm -rf bin dist

# Tools are built at the versions in internal/tools/go.mod. Tools for releases have a module of
# their own, so that their requirements do not affect the other tools. So has Prometheus, which is
# built without service discovery and without its pages, which would take longer.
$(TOOLS)/prometheus: internal/tools/prometheus/go.mod
	@CGO_ENABLED=0 scripts/tool.sh $(<D) github.com/prometheus/prometheus/cmd/prometheus $@ -tags remove_all_sd

# The servers of healthy-check share a module, apart from Prometheus: they do not build with the
# versions that it requires.
$(TOOLS)/nats-server: TOOL = github.com/nats-io/nats-server/v2
$(TOOLS)/etcd: TOOL = go.etcd.io/etcd/server/v3
$(TOOLS)/alertmanager: TOOL = github.com/prometheus/alertmanager/cmd/alertmanager
$(TOOLS)/victoria-metrics: TOOL = github.com/VictoriaMetrics/VictoriaMetrics/app/victoria-metrics
$(TOOLS)/caddy: TOOL = github.com/caddyserver/caddy/v2/cmd/caddy
$(addprefix $(TOOLS)/,$(HEALTHY)): $(TOOLS)/%: internal/tools/servers/go.mod
	@CGO_ENABLED=0 scripts/tool.sh $(<D) $(TOOL) $@

$(TOOLS)/multimod: TOOL = go.opentelemetry.io/build-tools/multimod
$(TOOLS)/gorelease: TOOL = golang.org/x/exp/cmd/gorelease
$(TOOLS)/actionlint: TOOL = github.com/rhysd/actionlint/cmd/actionlint
$(TOOLS)/cyclonedx-gomod: TOOL = github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod
$(addprefix $(TOOLS)/,multimod gorelease actionlint cyclonedx-gomod): internal/tools/release/go.mod
	@scripts/tool.sh $(<D) $(TOOL) $@

$(TOOLS)/builder: TOOL = go.opentelemetry.io/collector/cmd/builder
$(TOOLS)/mdatagen: TOOL = go.opentelemetry.io/collector/cmd/mdatagen
$(TOOLS)/gofumpt: TOOL = mvdan.cc/gofumpt
$(TOOLS)/jsonnet: TOOL = github.com/google/go-jsonnet/cmd/jsonnet
$(TOOLS)/govulncheck: TOOL = golang.org/x/vuln/cmd/govulncheck
$(TOOLS)/golangci-lint: TOOL = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(TOOLS)/%: internal/tools/go.mod
	@scripts/tool.sh $(<D) $(TOOL) $@
