# Everything that is done to this repository by hand or by CI. `make help` lists
# it. Nothing here needs root, but `make install` can do more with it.

SHELL   := /bin/sh
GO      ?= go
FUZZ    ?= 10s
# The race detector needs a C compiler; `make install` says so if there is none.
RACE    ?= $$(command -v cc >/dev/null 2>&1 && echo -race)
# Where modules with a go.mod of their own are, the product's first.
MODULES := . bus/redis/chaostest chaos interop

export GOBIN := $(CURDIR)/.cache/bin

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: install
install: ## install what tests and demo need; with root also Debian packages
	@scripts/install

.PHONY: build
build: ## build bin/belfry, with the page of the demo
	@scripts/check-go
	@scripts/install npm
	@scripts/fetch-client || true # it says what is missing
	$(GO) build -trimpath -o bin/ ./cmd/belfry

.PHONY: demo
demo: build ## run two nodes with their pages: chat, screen sharing, orders, trucks on a map
	bin/belfry demo

.PHONY: check
check: format vet lint cross ## the quick checks: format, vet, lint, other systems

.PHONY: test
test: ## all tests, under the race detector; installs what they need
	@scripts/check-go
	@scripts/install
	@scripts/fetch-client || true
	@status=0; $(GO) test $(RACE) -timeout 15m ./... || status=1; \
		(cd chaos && $(GO) test $(RACE) -timeout 5m ./...) || status=1; \
		(cd interop && $(GO) test $(RACE) -count=1 -timeout 20m -skip '^TestNode$$' ./...) || status=1; \
		exit $$status

.PHONY: interop
interop: ## the official clients against Belfry, and against Node.js as the control
	@scripts/check-go
	@scripts/install
	@scripts/fetch-client || true
	cd interop && $(GO) test $(RACE) -count=1 -timeout 20m ./...

.PHONY: control
control: ## only the control: what interop demands is what Node.js does
	@scripts/check-go
	@scripts/install
	cd interop && $(GO) test $(RACE) -count=1 -timeout 15m -run '^TestNode$$' .

.PHONY: chaos
chaos: ## faults on real processes, with an account of every message; CHAOS=-short is quick
	@scripts/check-go
	@scripts/install system clients kafka
	$(GO) test $(RACE) -tags chaos -timeout 15m -count 1 -run Cluster ./bus/redis
	cd bus/redis/chaostest && $(GO) test $(RACE) -tags chaos -timeout 15m -count 1 ./...
	cd chaos && $(GO) run . -controls $(CHAOS)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZ, 10s if not given
	@scripts/check-go
	@GO=$(GO) scripts/fuzz $(FUZZ)

.PHONY: bench
bench: build ## compare with Node.js and the centrifuge library; BENCH="--runs 1 --scale 0.1" is quick
	@scripts/install clients eiows
	@GO=$(GO) scripts/bench $(BENCH)

.PHONY: bench-cluster
bench-cluster: build ## compare two nodes on a Redis with Node.js; BENCH as for bench
	@scripts/install clients redis-server
	@GO=$(GO) scripts/bench-cluster $(BENCH)

.PHONY: bench-once
bench-once: ## run every benchmark once, so that none rots
	@scripts/check-go
	$(GO) test -run '^$$' -bench . -benchtime 1x ./...

.PHONY: gen
gen: ## generate what is generated
	$(GO) generate ./...

.PHONY: format
format: .cache/bin/gofumpt ## complain about Go files that gofumpt would change
	@scripts/format check

.PHONY: fmt
fmt: .cache/bin/gofumpt ## let gofumpt change them
	@scripts/format write

.PHONY: vet
vet: ## go vet
	@status=0; for m in $(MODULES); do (cd $$m && $(GO) vet -tags chaos ./...) || status=1; done; exit $$status

.PHONY: lint
lint: .cache/bin/golangci-lint ## golangci-lint
	@status=0; for m in $(MODULES); do echo "lint $$m"; \
		(cd $$m && $(CURDIR)/.cache/bin/golangci-lint run --config $(CURDIR)/.golangci.yaml ./...) || status=1; \
	done; exit $$status

.PHONY: cross
cross: ## build and vet for other systems
	@status=0; for os in darwin windows; do echo "GOOS=$$os"; \
		GOOS=$$os $(GO) build ./... && GOOS=$$os $(GO) vet ./... || status=1; \
	done; exit $$status

.PHONY: clean
clean: ## remove what was built and installed here
	rm -rf bin .cache interop/*/node_modules

.cache/bin/gofumpt .cache/bin/golangci-lint: tools/go.mod tools/go.sum
	@scripts/check-go
	cd tools && $(GO) install tool
	@touch .cache/bin/*
