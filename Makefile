# `make help` says what there is. Every target does its own set-up and can be run on its own.

GO ?= go
# How long each fuzz target runs: a count such as 50000x, or a time such as 5m. (A time may end with a spurious "context deadline
# exceeded" before Go 1.27, so the default is a count.)
FUZZTIME ?= 50000x
# For `make seed`.
NETWORK ?= demo
LISTEN ?= 127.0.0.1:8000
# For `make image`. Several platforms, as in linux/amd64,linux/arm64, are for a builder that can do more than one.
PROGRAM ?= seed
IMAGE ?= peerexchange-$(PROGRAM)
PLATFORM ?= linux/$(shell $(GO) env GOARCH)
BUILDER ?= docker

# What `make test` runs, in this order: the quick answers first.
CHECKS := verify lint test-unit test-apiserver chart examples fuzz interop

LINT := $(GO) tool -modfile=tools/go.mod golangci-lint
NODE_PACKAGES := test/clients/node
BENCH_NODE := bench/npm-seed

.DEFAULT_GOAL := help
.SHELLFLAGS := -euo pipefail -c
SHELL := bash
MAKEFLAGS += --no-print-directory

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: test
test: ## Everything that a contributor and CI run, one after the other
	@for check in $(CHECKS); do \
		echo "==> make $$check, $$SECONDS s after the start"; \
		$(MAKE) $$check || { echo "make test: $$check failed" >&2; exit 1; }; \
	done
	@echo "make test: all passed"

.PHONY: test-unit
test-unit: ## Unit tests of every package, with the race detector
	@$(GO) test -race -timeout 10m $$($(GO) list ./... | grep -v '/examples$$') | { grep -v 'no test files' || true; }

.PHONY: examples
examples: ## Build and run the programs in examples
	@$(GO) test -count=1 ./examples

.PHONY: interop
interop: $(NODE_PACKAGES)/node_modules/.package-lock.json ## The npm packages of both generations against Go, in Node and in Chromium; coturn's client; networks, faults
	@$(GO) test -count=1 -tags interop -run Coturn -parallel 32 ./internal/turn
	@$(GO) test -count=1 -tags interop ./test/netns ./test/fault
	@$(GO) test -count=1 -tags interop ./examples ./test/interop ./test/outside

.PHONY: test-apiserver
test-apiserver: ## Tests against a real API server: that of KUBEBUILDER_ASSETS, or else of make apiserver
	@[ -n "$${KUBEBUILDER_ASSETS:-}" ] || $(MAKE) apiserver
	@KUBEBUILDER_ASSETS=$${KUBEBUILDER_ASSETS:-$(CURDIR)/$(APISERVER)} $(GO) test -race -count=1 -timeout 20m -tags apiserver -run APIServer \
		$$(grep -rl --include='*_test.go' --exclude-dir=node_modules '^//go:build apiserver' . | xargs dirname | sort -u)
APISERVER := .cache/apiserver

.PHONY: chart
chart: ## Lint the Helm chart, and compare its manifests for the values in deploy/helm/testdata; UPDATE=1 writes them
	@$(GO) test -count=1 -tags chart ./deploy/helm $(if $(UPDATE),-run '^TestManifests$$' -update)

.PHONY: apiserver
apiserver: ## Build kube-apiserver, etcd and kubectl from test/apiserver, unless they are there
	@GO='$(GO)' test/apiserver/build $(APISERVER)

.PHONY: kind-test
kind-test: $(NODE_PACKAGES)/node_modules/.package-lock.json ## Tests on a Kubernetes cluster, which needs Docker on Linux; RUN chooses some, KEEP=1 keeps the cluster
	@$(GO) run ./kind-test

.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (default 50000x)
	@mkdir -p .cache
	@grep -rE --include='*_test.go' --exclude-dir=node_modules '^func Fuzz' . | sed -E 's/\/[^/]*:func (Fuzz[A-Za-z0-9_]*).*/ \1/' | sort | \
	while read -r package target; do \
		echo "fuzz $$package $$target"; \
		$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null >$(FUZZLOG) 2>&1 || { cat $(FUZZLOG); exit 1; }; \
		tail -n 1 $(FUZZLOG); \
	done
FUZZLOG := .cache/fuzz.log

.PHONY: lint
lint: ## golangci-lint, with the import directions (the first time builds it, which takes minutes)
	@$(LINT) run

.PHONY: verify
verify: ## Module files tidy, code formatted, generated files up to date, go vet
	@for module in . tools tools/helm tools/kind test/apiserver; do \
		$(GO) -C $$module mod tidy -diff >/dev/null || { echo "go.mod and go.sum are not tidy: run go mod tidy in $$module" >&2; exit 1; }; \
	done
	@files=$$($(GOFILES) -exec gofmt -l {} +); if [ -n "$$files" ]; then echo "not formatted; run gofmt -w on:" $$files >&2; exit 1; fi
	@for package in $$($(GOFILES) -name '*_test.go' -exec grep -l 'time\.Sleep' {} + | xargs -r dirname | sort -u); do \
		grep -q '"testing/synctest"' $$package/*_test.go || { echo "tests in $$package sleep, but not in virtual time" >&2; exit 1; }; \
	done
	@$(GO) test -count=1 -run '^TestGenerated' ./api/v1 ./pkg/exchange ./internal/seed ./internal/operator ./internal/operator/resources ./deploy/helm
	@for folder in api internal/operator/rbac; do \
		before=.cache/verify/$$folder; rm -rf $$before; mkdir -p $$(dirname $$before); cp -r $$folder $$before; \
		$(GO) generate ./$$folder/...; \
		if ! diff -r $$before $$folder >/dev/null; then \
			rm -rf $$folder; mv $$before $$folder; \
			echo "what is made from the code in $$folder is not up to date: run make generate" >&2; exit 1; \
		fi; \
	done; rm -rf .cache/verify
	@$(GO) vet -tags interop,apiserver,chart,e2e ./...
GOFILES := find . \( -name node_modules -o -name .cache \) -prune -o -name '*.go'

.PHONY: generate
generate: ## Write what is made from the code, such as docs/limits.md, docs/metrics.md and docs/api.md
	@$(GO) generate ./...

.PHONY: bench
bench: ## Two tables: this seed beside the npm seed, and its TURN server beside coturn
	@$(GO) run ./bench
	@$(GO) run ./bench/turn

.PHONY: seed
seed: ## Run a seed of the network NETWORK (default demo) on LISTEN (default 127.0.0.1:8000)
	@$(GO) run ./cmd/seed --network-id $(NETWORK) --listen-plain $(LISTEN)

.PHONY: build
build: ## Build bin/seed, which needs nothing of the machine that it runs on
	@CGO_ENABLED=0 $(GO) build -trimpath -ldflags='-s -w' -o bin/seed ./cmd/seed

.PHONY: image
image: ## Build the container image IMAGE of PROGRAM (seed or operator) for PLATFORM (default: this machine's) with BUILDER (default docker)
	@mkdir -p bin/image/state
	@platforms=$(PLATFORM) arguments=(); \
	for platform in $${platforms//,/ }; do \
		os=$${platform%%/*} arch=$${platform#*/}; \
		CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build -trimpath -ldflags='-s -w' -o bin/image/$$os/$$arch/$(PROGRAM) ./cmd/$(PROGRAM); \
		arguments=(--build-arg TARGETOS=$$os --build-arg TARGETARCH=$$arch); \
	done; \
	case $$platforms in *,*) arguments=() ;; esac; \
	$(BUILDER) build --platform $$platforms "$${arguments[@]}" --tag $(IMAGE) --file $(DOCKERFILE) bin/image
DOCKERFILE = $(if $(filter seed,$(PROGRAM)),Dockerfile,Dockerfile.$(PROGRAM))

.PHONY: clean
clean: ## Remove what the other targets made here: bin, npm packages
	@rm -rf bin .cache $(NODE_PACKAGES)/node_modules $(BENCH_NODE)/node_modules

# npm writes the list of what it installed last, so the list is newer than the lock file if everything is there.
%/node_modules/.package-lock.json: %/package-lock.json
	@cd $* && npm ci --no-audit --no-fund --no-progress --loglevel=error
	@touch $@
