# Everything that is done with this project, by name. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: help install run serve test check format lock bench fuzz clean

help: ## list what can be made
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: $(INSTALLED) ## set everything up and start, for trying it out
	@$(BIN)/python -m glific_gpt.local

test: $(INSTALLED) ## run the tests
	$(BIN)/pytest

install: $(INSTALLED) ## make .venv with everything in it, and nothing else

serve: $(INSTALLED) ## start the production server, from the environment alone
	@$(BIN)/python -m glific_gpt.server

check: $(INSTALLED) ## what CI runs besides the tests: style, types, import floors, dependencies
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

format: $(INSTALLED) ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(INSTALLED) ## measure the server beside the API that it stands before
	$(BIN)/python -m benchmarks

fuzz: $(INSTALLED) ## throw bodies and headers at the webhook for ten minutes
	FUZZ_SECONDS=600 $(BIN)/pytest tests/webhooks/test_fuzz.py --timeout 900

lock: $(INSTALLED) ## pin requirements.in and requirements-dev.in anew
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header requirements.in -o requirements.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header requirements-dev.in -o requirements-dev.txt

clean: ## remove what was installed and cached; instance/ stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

$(INSTALLED): requirements.txt requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
	@echo "Installing into .venv (once, about a minute) ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements.txt -r requirements-dev.txt
	@touch $@
