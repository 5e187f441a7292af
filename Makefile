# On a fresh machine with Python 3.11 or newer and make, `make demo` and `make test` do all the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# The first one that runs and is new enough; a pyenv shim may exist and not run.
ifeq ($(origin PYTHON), undefined)
PYTHON := $(shell for python in python3.11 python3 python3.12 python3.13; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo "$$python" && break; done)
endif
# Set, it makes each of a stack's processes compile all modules anew: half a second each.
unexport PYTHONDONTWRITEBYTECODE

VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# pip is quiet while it works, so that a failure stands out; a dot every two seconds shows life.
define with_dots
	@$(1) & pid=$$!; while kill -0 $$pid 2>/dev/null; do printf .; sleep 2; done; echo; wait $$pid
endef

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(READY) ## Make the virtual environment; every other target does so by itself

$(READY): pyproject.toml constraints.txt
	@if [ -z "$(PYTHON)" ] || ! "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then \
	  echo "pinak-ray needs Python 3.11 or newer; '$(or $(PYTHON),python3)' is" \
	    "$$("$(or $(PYTHON),python3)" --version 2>&1 || true). Name one: make PYTHON=/path/to/python3.11" >&2; \
	  exit 1; fi
	@echo "==> $$("$(PYTHON)" --version) in $(VENV)"
	@"$(PYTHON)" -m venv "$(VENV)" || { \
	  echo "the venv module does not work; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@echo "==> pip"
	@$(PIP) install --quiet --upgrade 'pip>=25.1'
	@echo "==> packages, about 400 MB: one to five minutes the first time"
	$(call with_dots,$(PIP) install --quiet -c constraints.txt -e . --group dev)
	@touch "$@"
	@echo "==> ready"

.PHONY: demo
demo: $(READY) ## Start a stack and watch a swarm use it
	@$(BIN)/pinak-ray demo

.PHONY: up
up: $(READY) ## Start PostgreSQL, Ray, the actors and the gateway
	@$(BIN)/pinak-ray up

.PHONY: down
down: $(READY) ## Stop them; what was acknowledged stays
	@$(BIN)/pinak-ray down

.PHONY: test
test: $(READY) ## Run the whole suite, five rounds of chaos among it; two halves side by side
	@$(MAKE) --no-print-directory -j2 --output-sync=target test-stack test-parts

# What needs the session's stack, and what needs less; chaos has a stack of its own, and comes last
# so that no two start at once.
.PHONY: test-stack
test-stack: $(READY)
	@$(BIN)/python -m pytest tests/contract tests/ray tests/serve

.PHONY: test-parts
test-parts: $(READY)
	@$(BIN)/python -m pytest tests/migration tests/postgres tests/unit tests/chaos

.PHONY: test-fast
test-fast: $(READY) ## Run the unit tests: no Ray, no database
	@$(BIN)/python -m pytest -q tests/unit

.PHONY: chaos
chaos: $(READY) ## 100 rounds of kill -9 under load; nothing acknowledged may be lost (15 minutes)
	@$(BIN)/python -m benchmarks.chaos --rounds 100 $(ARGS)

.PHONY: lint
lint: $(READY) ## Format, lint, law of imports, types
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports
	@$(BIN)/mypy --strict

.PHONY: check
check: lint test-fast ## Lint and the unit tests: what a change must pass

.PHONY: format
format: $(READY) ## Format, and fix what the linter can fix
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

.PHONY: docs
docs: $(READY) ## Write the reference of verbs and errors from the code
	@$(BIN)/python docs/reference/generate.py

.PHONY: bench
bench: $(READY) ## List the benchmarks, or run one: make bench NAME=write ARGS='--agents 32,512'
	@if [ -n "$(NAME)" ]; then $(BIN)/python -m benchmarks.$(NAME) $(ARGS); else \
	  grep -l '__name__ == "__main__"' benchmarks/*.py benchmarks/*/__main__.py | while read -r file; do \
	    name=$${file%/__main__.py}; name=$$(basename "$$name" .py); \
	    printf '  make bench NAME=%-10s %s\n' "$$name" "$$(head -1 "$$file" | tr -d '"')"; done; fi

.PHONY: constraints
constraints: ## Renew constraints.txt with the newest versions that pyproject.toml allows
	@place=$$(mktemp -d); trap 'rm -rf "$$place"' EXIT; \
	"$(PYTHON)" -m venv "$$place/venv"; pip="$$place/venv/bin/python -m pip --disable-pip-version-check"; \
	$$pip install --quiet --upgrade 'pip>=25.1'; \
	$$pip install --quiet -e . --group dev; \
	$$pip freeze --exclude-editable > "$$place/pins"; \
	if grep -iE '^(torch|nvidia|triton)|@|://' "$$place/pins"; then \
	  echo 'the lines above do not belong into constraints.txt' >&2; exit 1; fi; \
	{ grep '^#' constraints.txt; cat "$$place/pins"; } > "$$place/new"; \
	cp "$$place/new" constraints.txt

.PHONY: wheel
wheel: $(READY) ## Build the wheel into dist/
	@$(BIN)/python -m build --wheel

.PHONY: clean
clean: ## Remove the virtual environment, builds and caches; never a stack's data
	@if [ -f "$(VENV)/pyvenv.cfg" ]; then rm -rf "$(VENV)"; fi
	@rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find pinak_ray tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +
