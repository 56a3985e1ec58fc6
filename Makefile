# Needs make and Python 3.11 or later, nothing else. Options of the program go into ARGS:
#   make run ARGS="--profile quick --seed 7"

VENV = .venv
BIN = $(VENV)/bin/python -m
INSTALLED = $(VENV)/.installed
DOCS_INSTALLED = $(VENV)/.docs-installed
# Tests wait for jobs a good part of their time, so one more runs than there are cores.
WORKERS = $(shell $(VENV)/bin/python -c 'import os; print((os.cpu_count() or 1) + 1)')

.PHONY: run test coverage docs pictures constraints requirements-docs
.DEFAULT_GOAL = run

# Verify the embedded reference endpoint against the whole contract.
run: $(INSTALLED)
	@$(BIN) atlas_conformance run $(ARGS)

# Style, types, layers, then the project's own tests, and how much of the product they cover, branches counted.
test: $(INSTALLED) $(DOCS_INSTALLED)
	@$(BIN) ruff check --quiet .
	@$(BIN) ruff format --check .
	@$(BIN) mypy
	@told=$$($(VENV)/bin/lint-imports --no-cache 2>&1) || { echo "$$told"; exit 1; }
	@rm -rf build/coverage && mkdir -p build/coverage
	@$(BIN) coverage run -m pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)
	@$(BIN) coverage combine --quiet
	@echo "Coverage of the product, branches counted: $$($(BIN) coverage report --format=total) % (make coverage shows more)."
	@$(if $(ARGS),,$(BIN) coverage report --format=total --fail-under=90 >/dev/null)

# The lines and branches of the product that the last `make test` missed, module by module.
coverage: $(INSTALLED)
	@$(BIN) coverage report --show-missing

# Build the documents as a site: open build/site/index.html.
docs: $(DOCS_INSTALLED)
	@NO_MKDOCS_2_WARNING=1 $(BIN) mkdocs build --quiet --strict
	@echo "Open build/site/index.html."

# Make the pictures of the documents anew, after a change to what a run prints.
pictures: $(INSTALLED)
	@$(VENV)/bin/python docs/making/picture.py
	@$(VENV)/bin/python docs/making/flow.py

# Write the page of each requirement anew, after a change to requirements, rules, faults or suites.
requirements-docs: $(INSTALLED)
	@$(BIN) atlas_conformance explain --write docs/requirements

# Pin the newest versions that the ranges in pyproject.toml allow, for every Python and system that is supported.
constraints: $(INSTALLED)
	@$(BIN) pip install -qq uv
	@$(BIN) uv pip compile --quiet --upgrade --universal --python-version 3.11 --all-extras --no-annotate \
	  --no-header --no-emit-index-url --no-emit-find-links --output-file constraints.txt pyproject.toml

# PYTHON=... names the interpreter; otherwise the first one that will do is taken.
$(INSTALLED): pyproject.toml constraints.txt
	@for python in $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11); do \
	  if "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Installing into $(VENV) with $$("$$python" --version); this takes a minute, once."; \
	    "$$python" -m venv $(VENV) && \
	    $(BIN) pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]' && \
	    touch $@; exit; \
	  fi; \
	done; \
	echo "Python 3.11 or later with its venv module is needed and $(or $(PYTHON),python3) is not that: install it" \
	  "(Debian: apt-get install python3-venv) or name it with make PYTHON=/path/to/python3.11." >&2; exit 1

# What the site needs stands apart, so that `make run` installs less.
$(DOCS_INSTALLED): $(INSTALLED)
	@$(BIN) pip install -qq --disable-pip-version-check -c constraints.txt -e '.[docs]' && touch $@
