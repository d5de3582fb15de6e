# Two commands are for everybody: `make demo` and `make test`. Both need python3 (3.11 or newer, with venv) and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES := pyproject.toml README.md LICENSE docs/tcpladder.1 $(shell find tui captures -type f ! -name '*.pyc')
TESTS := tests
FUZZ_SECONDS ?= 60
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

.PHONY: help demo test check format bench compare fuzz docs captures screenshots clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.installed  ## watch keepalive fail on a real connection, in a private network, without root
	@$(BIN)/tcpladder lab keepalive --auto

# What watches a kernel's timers mostly waits: two files of it at a time do not disturb each other.
test: $(VENV)/.developing  ## run what can run here; the summary says what was not run and why
	@$(if $(filter tests,$(TESTS)), \
	  failed=0; $(BIN)/python -m pytest tests --ignore=tests/real -n 2 || failed=1; \
	  $(BIN)/python -m pytest tests/real -n 2 --dist loadgroup || failed=1; exit $$failed, \
	  $(BIN)/python -m pytest $(TESTS))

check: $(VENV)/.developing  ## format, lint, types, who may import whom
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	PYTHONPATH=tui $(BIN)/lint-imports

format: $(VENV)/.developing  ## put the code in its usual form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.developing  ## measure; compares with tshark and tcptrace where they are, needs root for live
	@$(BIN)/python tests/bench/run.py

compare: $(VENV)/.developing  ## name every segment beside tshark, and print where the two differ
	@PYTHONPATH=tui $(BIN)/python tests/compare/tshark.py

fuzz: $(VENV)/.developing  ## feed made-up bytes to everything that reads captures, FUZZ_SECONDS for each harness
	@$(INSTALL) '.[fuzz]' || { \
	  echo "atheris is not to be had for $$($(BIN)/python -V): try make PYTHON=python3.12 VENV=.venv-fuzz fuzz" >&2; exit 2; }
	@found=$$(mktemp -d); for harness in capture frames segments headers; do \
	  mkdir -p $$found/$$harness; \
	  PYTHONPATH=tui $(BIN)/python tests/fuzz/run.py $$harness -max_total_time=$(FUZZ_SECONDS) -timeout=10 \
	    -rss_limit_mb=4096 -max_len=4096 -artifact_prefix=$$found/ $$found/$$harness tests/fuzz/corpus/$$harness \
	    || { echo "found by $$harness, the input is in $$found" >&2; exit 1; }; \
	done; rm -r $$found

docs: $(VENV)/.developing  ## write docs/KINDS.md, docs/TIMERS.md and the man page from the code
	@PYTHONPATH=tui $(BIN)/python tests/documents.py

captures: $(VENV)/.developing  ## record captures/ anew from the lab; takes three minutes
	@PYTHONPATH=tui $(BIN)/python tests/recordings.py

screenshots: $(VENV)/.developing  ## draw screenshots/ from captures/
	@$(BIN)/python screenshots/draw.py

clean:  ## remove what the other targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

# What draws mermaid sources in a browser; a test gives it ours.
$(VENV)/mermaid.min.js: | $(VENV)/.installed
	@command -v npm > /dev/null || { echo "mermaid comes with npm, which is not here: apt install npm" >&2; exit 2; }
	@cd $(VENV) && pack=$$(npm pack --silent mermaid@11) && \
	  tar --strip-components=2 -xzf $$pack package/dist/mermaid.min.js && rm $$pack

# Dependencies cost a minute and are installed when pyproject.toml changes; the package alone, a few seconds, when a
# source does. The package is installed and not linked, so what is tested is what a user gets.
$(VENV)/.installed: $(SOURCES)
	@command -v $(PYTHON) > /dev/null || { \
	  echo "there is no $(PYTHON) here: install Python 3.11 or newer, or say which, as in make PYTHON=python3.12" >&2; \
	  exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "tcpladder needs Python 3.11 or newer, and $(PYTHON) is $$($(PYTHON) -V 2>&1): try make PYTHON=python3.12" >&2; \
	  exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
	  version=$$($(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])'); \
	  echo "python $$version has no venv module: apt install python$$version-venv (Debian and Ubuntu)" >&2; \
	  exit 2; }
	@if [ $(VENV)/.dependencies -nt pyproject.toml ]; then \
	  $(INSTALL) --no-deps --force-reinstall .; \
	else \
	  echo "installing into $(VENV), a minute the first time" >&2; \
	  $(PYTHON) -m venv $(VENV) && $(INSTALL) . && touch $(VENV)/.dependencies; \
	fi
	@touch $@

$(VENV)/.tools: pyproject.toml | $(VENV)/.installed
	@echo "installing the tools for testing" >&2
	@$(INSTALL) '.[dev]'
	@touch $@

$(VENV)/.developing: $(VENV)/.installed $(VENV)/.tools
	@touch $@
