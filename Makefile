# `make demo` runs the product, `make test` runs every check. Both set up what they need.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check unit e2e wheel bench docs pins clean

demo: .venv/demo-ready
	@$(BIN)/vsdk demo

test: check unit wheel e2e
	@echo "All checks and tests passed."

check: .venv/dev-ready node_modules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy src plugins/doctolib_like/src plugins/kbv_compliance/src examples/embed_fastapi.py bench
	$(BIN)/lint-imports
	npx --no-install tsc -p tsconfig.json
	node --test tests/widgets/js/*.test.mjs

unit: .venv/dev-ready .venv-peers/ready node_modules
	$(BIN)/pytest -m "not e2e" -n auto

e2e: .venv/dev-ready node_modules
	tools/system-packages
	tools/test-browsers

wheel: .venv/dev-ready
	$(BIN)/python tools/check_wheel.py

bench: .venv/dev-ready
	tools/system-packages
	$(BIN)/python -m bench

docs: .venv/dev-ready
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/images/make.py
	VSDK_PICTURES=docs/images/journey $(BIN)/pytest tests/e2e/test_every_state.py -k every -q

pins: .venv/dev-ready
	$(BIN)/uv pip compile pyproject.toml --extra rtc --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --upgrade -o requirements/pins.txt
	$(BIN)/uv pip compile requirements/dev.in --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --upgrade -o requirements/dev.txt
	$(BIN)/uv pip compile requirements/peers.in --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --upgrade -o requirements/peers.txt

.venv/demo-ready: pyproject.toml requirements/pins.txt
	tools/make-venv $(PYTHON) requirements/pins.txt . plugins/doctolib_like plugins/kbv_compliance
	@touch $@

.venv/dev-ready: pyproject.toml requirements/dev.txt $(wildcard plugins/*/pyproject.toml) $(wildcard examples/*/pyproject.toml)
	tools/make-venv $(PYTHON) requirements/dev.txt . $(dir $(wildcard plugins/*/pyproject.toml examples/*/pyproject.toml))
	@touch $@

# A FHIR server of others, which the tests speak with; apart, because it brings a web stack of its own.
.venv-peers/ready: requirements/peers.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --requirement requirements/peers.txt
	@touch $@

node_modules: package.json
	tools/system-packages
	npm install --no-package-lock --ignore-scripts --no-fund --no-audit --loglevel=error
	@touch $@

clean:
	rm -rf .venv .venv-peers node_modules dist test-results
