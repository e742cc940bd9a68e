# `make run` and `make test` are all a new machine needs; `make help` lists the rest.

.DEFAULT_GOAL := help
SHELL := /bin/bash

.PHONY: help run test check format

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start everything on embedded storage, with demo users (http://127.0.0.1:8080)
	@command -v cargo >/dev/null || { echo 'make run needs Rust: see https://rustup.rs'; exit 1; }
	@tools/build-web-client
	cargo run --release --package latchkey

test: ## Run every test, over real Redis, PostgreSQL and a real browser
	@tools/test-requirements
	cargo test --workspace --all-features

check: ## Look for mistakes without running anything: format, lints, documentation
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --all-features -- --deny warnings
	RUSTDOCFLAGS='--deny warnings' cargo doc --workspace --all-features --no-deps --quiet

format: ## Format the code
	cargo fmt --all
