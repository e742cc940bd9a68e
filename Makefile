# `make run` and `make test` are all a new machine needs; `make help` lists the rest.

.DEFAULT_GOAL := help
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c

.PHONY: help run dev test test-services test-web-client test-compose torture fuzz bench check generated format

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start everything on embedded storage, with demo users (http://127.0.0.1:8080)
	@command -v cargo >/dev/null || { echo 'make run needs Rust: see https://rustup.rs'; exit 1; }
	@tools/build-web-client || echo 'The web client could not be built; the services run without it.'
	cargo run --release --package latchkey

dev: ## Serve the web client from its sources beside a running `make run` (http://127.0.0.1:4200)
	@tools/install-web-client
	npm --prefix web-client start

test: test-services test-web-client ## Run every test, over real Redis, PostgreSQL and a real browser

test-services: ## Test the Rust side: units, the HTTP surface, real stores, faults
	@tools/test-requirements
	@tools/install-prometheus
	@tools/install-schemathesis
	cargo test --workspace --all-features --no-fail-fast

test-web-client: ## Test the web client: its units, then real flows in a real browser
	@tools/test-requirements
	@tools/install-web-client
	cargo build --package latchkey --package auth-service
	npm --prefix web-client test
	npm --prefix web-client run e2e

test-compose: ## Test the containers: the whole stack, its browser tests, each container restarted under load (needs Docker)
	@tools/test-compose

MINUTES ?= 10
torture: ## Try to break it for MINUTES=10, over real Redis and PostgreSQL, and print what was seen
	@tools/test-requirements
	cargo build --release --package auth-service --package jobs-service
	cargo run --release --package system-tests --bin torture -- $(MINUTES)

SECONDS ?= 60
fuzz: ## Give each target of fuzz/ bytes for SECONDS=60 (needs cargo-fuzz)
	for target in $$(cargo fuzz list); do RUSTC_BOOTSTRAP=1 cargo fuzz run $$target -- -max_total_time=$(SECONDS); done

bench: ## Measure the services beside what they are compared with (ONLY=refresh,jobs: these alone)
	@tools/test-requirements
	@tools/install-bench-express
	cargo build --profile dist --package auth-service --package jobs-service
	cargo build --profile dist --package bench
	target/dist/bench $(if $(ONLY),--only $(ONLY))

check: ## Look for mistakes without running a service: format, lints, documentation, what is generated from the code
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- --deny warnings
	cargo fmt --manifest-path fuzz/Cargo.toml --check
	cargo clippy --manifest-path fuzz/Cargo.toml --target-dir target -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --all-features --no-deps --quiet
	@tools/check-observability
	cargo test --quiet --workspace --all-features --test documented -- openapi configuration
	@tools/test-requirements
	@tools/install-web-client
	npm --prefix web-client run lint
	@tools/lint-deploy

generated: ## Renew what is generated from the code: docs/openapi, the tables of docs/configuration.md
	LATCHKEY_TEST_RENEW=1 cargo test --quiet --workspace --all-features --test documented -- openapi configuration

format: ## Format the code
	cargo fmt --all
	npm --prefix web-client run format
