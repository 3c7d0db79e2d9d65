# Everything that people and CI call. `make help` lists it.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

ROOT := $(CURDIR)
BIN := $(ROOT)/bin
TOOLS := $(BIN)/tools
COLLECTOR := $(BIN)/otelcol-goroutine

# Every module of the project; those in testdata belong to fixtures.
MODULES := $(shell find . -name go.mod -not -path './dist/*' -not -path './bin/*' -not -path '*/testdata/*' -exec dirname {} \; | sort)
# The tools are no code of ours, and e2e needs the collector.
TESTED := $(filter-out ./internal/tools ./e2e,$(MODULES))

# What the collector is built from.
COLLECTOR_SOURCES := builder-config.yaml go.mod go.sum $(shell find internal receiver processor \( -name '*.go' -o -name go.mod -o -name go.sum \) \
	-not -name '*_test.go' -not -path 'internal/tools/*' -not -path '*/testdata/*')

FUZZTIME ?= 30s
BENCHTIME ?= 1s

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: collector ## Find the leaks of an example service, in the terminal (DEMO_SECONDS, DEMO_CAPTURE, DEMO_..._PORT)
	@echo "Building the example service and the demo..."
	@go -C examples/leaky build -o $(BIN)/leaky .
	@go -C examples/demo build -o $(BIN)/demo .
	@$(BIN)/demo -collector $(COLLECTOR) -service $(BIN)/leaky -config examples/demo/collector.yaml

.PHONY: collector
collector: $(COLLECTOR) ## Build the collector distribution, bin/otelcol-goroutine

# The sources are generated first and compiled after, so that progress can be
# shown: the compiler says nothing for minutes.
$(COLLECTOR): $(COLLECTOR_SOURCES) | $(TOOLS)/builder
	@echo "Building the collector: some 1,200 packages, 5 to 10 minutes the first time, seconds after."
	@$(TOOLS)/builder --config builder-config.yaml --skip-compilation 2>&1 | sed 's/^/  /'
	@internal/tools/progress.sh dist $(COLLECTOR)

.PHONY: test
test: ## Run the tests of every module, with the race detector
	@for module in $(TESTED); do echo "== $$module"; go -C $$module test -race ./...; done
	@echo "== ./instrument, with the runtime's leak profile"
	@GOEXPERIMENT=goroutineleakprofile go test ./instrument -run LeakProfile

# What is promised to build for services.
PLATFORMS := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: cross
cross: ## Build and vet what services import, for each platform
	@for platform in $(PLATFORMS); do echo "== $$platform"; \
		export GOOS=$${platform%/*} GOARCH=$${platform#*/}; go build ./instrument && go vet ./instrument; done

.PHONY: e2e
e2e: collector ## Test the built collector: example configurations, real processes
	@go -C e2e test -race -count=1 ./...

.PHONY: bench
bench: ## Measure what is promised, each against its peer in the same run
	@for package in profile exectrace census growth; do \
		echo "== internal/$$package"; \
		go test -run '^$$' -bench . -benchtime $(BENCHTIME) ./internal/$$package | grep -E 'Benchmark|ratio|FAIL' ; done
	@echo "== instrument"
	@go test -run '^$$' -bench 'Sample' -benchtime 3x ./instrument | grep -E 'Benchmark|FAIL'
	@go test -run '^$$' -bench 'Memory|Pause|Idle' -benchtime $(BENCHTIME) ./instrument | grep -E 'Benchmark|FAIL'
	@go test -run '^$$' -bench 'Server' -benchtime 1x ./instrument | grep -E 'Benchmark|FAIL'
	@go test -run 'FewModules' -v ./instrument | grep -E 'modules|beyond|FAIL'
	@echo "== processor/leakdetect"
	@go -C processor/leakdetect test -run '^$$' -bench . -benchtime $(BENCHTIME) . | grep -E 'Benchmark|FAIL'

.PHONY: detect-bench
detect-bench: ## Replay simulated leaks and healthy loads through the detector and its rivals; write the table
	@go -C bench run ./detect -write detect/result.txt

.PHONY: detect-check
detect-check: ## Check that the table of make detect-bench is the one that is committed
	@go -C bench run ./detect -check detect/result.txt | tail -12

.PHONY: fuzz
fuzz: ## Fuzz every parser, FUZZTIME each
	@for module in $(TESTED); do \
		for package in $$(go -C $$module list -f '{{.Dir}}' ./...); do \
			for target in $$(grep -hoE '^func Fuzz[A-Za-z0-9]+' $$package/*_test.go 2>/dev/null | cut -c6- || true); do \
				echo "== $${package#$(ROOT)/} $$target"; \
				go -C $$package test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x . | tail -n 2; \
	done; done; done

.PHONY: lint
lint: $(TOOLS)/golangci-lint $(TOOLS)/gofumpt ## Check format, vet, imports across the house, tidiness, and that generated files are current
	@unformatted=$$($(TOOLS)/gofumpt -l $$(git ls-files -co --exclude-standard '*.go' | grep -vE 'generated_|/internal/metadata|/standard.go')); \
		if [ -n "$$unformatted" ]; then echo "not formatted (make format):" $$unformatted; exit 1; fi
	@for module in $(MODULES); do echo "== tidy $$module"; go -C $$module mod tidy -diff; done
	@for module in $(TESTED) ./e2e; do echo "== lint $$module"; (cd $$module && $(TOOLS)/golangci-lint run --config $(ROOT)/.golangci.yml ./...); done
	@before=$$(git ls-files -co --exclude-standard | xargs sha256sum); \
		$(MAKE) --no-print-directory generate; \
		after=$$(git ls-files -co --exclude-standard | xargs sha256sum); \
		if [ "$$before" != "$$after" ]; then \
			diff <(echo "$$before") <(echo "$$after") || true; \
			echo "generated files were not current; they are now: commit them"; exit 1; fi

.PHONY: generate
generate: $(TOOLS)/mdatagen ## Generate what is generated: metadata of the components, the list of standard packages
	@go generate ./internal/stack
	@for component in receiver/goroutinereceiver processor/leakdetect; do \
		(cd $$component && PATH="$(TOOLS):$$PATH" go generate ./...); done

.PHONY: format
format: $(TOOLS)/gofumpt ## Format the code
	@$(TOOLS)/gofumpt -w $$(git ls-files -co --exclude-standard '*.go' | grep -vE 'generated_|/internal/metadata|/standard.go')

.PHONY: clean
clean: ## Delete what was built
	@rm -rf bin dist

# Tools are built at the versions in internal/tools/go.mod.
$(TOOLS)/builder: TOOL = go.opentelemetry.io/collector/cmd/builder
$(TOOLS)/mdatagen: TOOL = go.opentelemetry.io/collector/cmd/mdatagen
$(TOOLS)/gofumpt: TOOL = mvdan.cc/gofumpt
$(TOOLS)/golangci-lint: TOOL = github.com/golangci/golangci-lint/v2/cmd/golangci-lint
$(TOOLS)/%: internal/tools/go.mod
	@echo "Building $* ..."
	@mkdir -p $(TOOLS)
	@go -C internal/tools build -o $@ $(TOOL)
