# Every target works on a fresh checkout; `install` fetches what is missing. `make help` lists the targets.
SHELL := /bin/sh
BIN := $(CURDIR)/node_modules/.bin
STAMP := node_modules/.installed
RUN_STAMP := node_modules/.installed-to-run
PACKAGES := package-lock.json package.json stack/install/install.sh stack/install/post-install.mjs stack/install/elf-versions.mjs
TEST_REPORT := .cache/test-report.json

# The project's own Node 24 stands before the machine's.
export PATH := $(BIN):$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install install-to-run tools run check test smoke chaos chaos-seeds drill fleet perf perf-full perf-compare perf-check isolation images edge-package sbom clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | awk -F '\t' '{ printf "make %-12s %s\n", $$1, $$2 }'

install: $(STAMP) ## fetch what is missing

tools:
	@sh stack/install/check-tools.sh

$(STAMP): $(PACKAGES) | tools
	@sh stack/install/install.sh
	@touch $(RUN_STAMP) $@

# What runs needs none of the tools that check and test it.
install-to-run: $(RUN_STAMP)

$(RUN_STAMP): $(PACKAGES) | tools
	@if [ -e $(STAMP) ]; then sh stack/install/install.sh && touch $(STAMP); else sh stack/install/install.sh --omit=dev; fi
	@touch $@

run: tools install-to-run ## the stack, every role and simulated restaurants, until Ctrl-C
	@exec cli/ordermesh up --stop-with-parent

smoke: tools install-to-run ## a run of 20 s, then the audit
	@exec cli/ordermesh smoke --stop-with-parent

check: tools install ## lint, types, import rules and unit tests, without servers
	@npm run --silent check

test: tools install ## lint, types, import rules and all tests
	@sh .ci/test.sh

chaos: tools install ## seeded faults against the whole system, then the history check: make chaos SEED=n
	@exec node lab/chaos/main.ts --stop-with-parent $(if $(SEED),--seed $(SEED)) $(if $(LANES),--lanes $(LANES)) $(if $(BUSY),--busy)

chaos-seeds: tools install ## chaos with one seed after the other, half of them with busy cores: make chaos-seeds FROM=1 COUNT=20
	@exec node lab/chaos/seeds.ts --stop-with-parent $(if $(FROM),--from $(FROM)) $(if $(COUNT),--count $(COUNT)) $(if $(BUSY),--busy $(BUSY))

drill: tools install ## two regions: kill one under load, fail over, fail back, audit: make drill SEED=n
	@exec node lab/drill/main.ts --stop-with-parent $(if $(SEED),--seed $(SEED))

fleet: tools install ## several hosts without a shared disk, changed under load, then the audit
	@exec node lab/fleet/main.ts --stop-with-parent

perf: tools install ## quick benchmark, report in perf/report/
	@exec node perf/main.ts

perf-full: tools install ## the long benchmark
	@exec node perf/main.ts --full

perf-compare: tools install ## what moved beyond noise between an earlier report and the last: make perf-compare REPORT=old.json
	@exec node perf/compare/main.ts $(if $(REPORT),--before $(REPORT))

perf-check: tools install ## guard the ratios of the hot paths, at toy size
	@exec node perf/check.ts

isolation: tools install ## load while the cloud stops, crawls or refuses, then the audit: make isolation SECONDS=n ROUNDS=n RATE=n
	@exec node perf/isolation/main.ts --stop-with-parent $(if $(SECONDS),--seconds $(SECONDS)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(RATE),--rate $(RATE)) $(if $(ONLY),--only $(ONLY))

images: ## build the image with docker, podman or buildah
	@sh deploy/images/build.sh

sbom: install ## the software bill of materials, CycloneDX, in .cache/sbom.json
	@mkdir -p .cache && npm sbom --sbom-format cyclonedx --omit dev > .cache/sbom.json && echo "wrote .cache/sbom.json"

edge-package: ## build the Debian package of the edge agent, in build/
	@sh deploy/edge/build.sh

clean: ## remove data and built files
	rm -rf .data build perf/report $(TEST_REPORT)
