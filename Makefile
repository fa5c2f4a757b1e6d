# The commands of this project. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
PRODUCTION := .venv/.installed-production
TRANSLATIONS := glific_gpt/console/translations
TRANSLATED := $(TRANSLATIONS)/hi/LC_MESSAGES/messages.mo

# Compressed copies of static files. A copy whose file has changed is not served.
COMPRESSED := .venv/.compressed
STATIC := $(filter-out %/vendor,$(wildcard glific_gpt/console/static/*))

# `make serve` and `make worker` run in what is there, and `make install-production` needs nothing else.
ONLY_PRODUCTION := $(filter install-production,$(MAKECMDGOALS))$(and $(filter serve worker,$(MAKECMDGOALS)),$(wildcard $(PRODUCTION)))
SERVER := $(if $(ONLY_PRODUCTION),$(PRODUCTION),$(INSTALLED))

# Compiled files are kept: the tests start hundreds of processes, and each would compile all files again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help install install-production env run serve worker test test-quick check language format lock bench peers release durability abuse fuzz fuzz-text messages pictures lighthouse clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

run: $(INSTALLED) $(TRANSLATED) ## install and start a server for trying the product
	@$(BIN)/python -m glific_gpt.local

# Five processes, also on two cores: most tests wait for sockets and child processes.
PYTEST := $(BIN)/pytest -n 5 --dist worksteal

test: $(INSTALLED) $(TRANSLATED) $(COMPRESSED) ## run all tests, as CI does
	$(PYTEST)

test-quick: $(INSTALLED) $(TRANSLATED) $(COMPRESSED) ## run the tests that a change normally needs: no killed processes, no browser
	$(PYTEST) -m "not (browser or fuzz or journey or kills)"

install: $(INSTALLED) $(TRANSLATED) $(COMPRESSED) ## create .venv with every dependency

install-production: $(PRODUCTION) $(TRANSLATED) ## create .venv without the tools of development, for servers

env: ## create deploy/.env for deploy/compose.yaml: make env HOST=gpt.example.org
	@deploy/create-env.sh $(HOST)

serve: $(SERVER) $(TRANSLATED) ## start the production server, configured by the environment
	@$(BIN)/python -m glific_gpt.server

worker: $(SERVER) $(TRANSLATED) ## start a worker for deferred answers and e-mails
	@$(BIN)/flask worker

check: $(INSTALLED) $(TRANSLATED) ## run the checks of CI: style, types, import layers, dependencies, language, migrations, Dockerfile
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/python -m tools.check_language
	$(BIN)/python -m tools.check_migrations
	$(BIN)/hadolint deploy/Dockerfile

language: $(INSTALLED) ## print measures of the language; make language FILES=docs measures one folder
	$(BIN)/python -m tools.check_language --report $(FILES)

format: $(INSTALLED) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(INSTALLED) ## measure the server beside other gateways, and write docs/performance.md
	$(BIN)/python -m benchmarks

peers: ## install the other gateways that `make bench` measures, into .peers
	$(PYTHON) -m venv .peers/python
	.peers/python/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r benchmarks/peers/requirements.txt
	mkdir -p .peers/portkey
	cp benchmarks/peers/package.json benchmarks/peers/package-lock.json .peers/portkey
	npm ci --silent --ignore-scripts --no-audit --no-fund --prefix .peers/portkey

release: $(INSTALLED) $(COMPRESSED) ## build the files of a release into dist/: wheel, source archive, lock, SBOM, checksums
	@$(BIN)/python -m tools.release

fuzz: $(INSTALLED) ## send generated bodies and headers to the webhook for ten minutes, then to the JSON API
	FUZZ_SECONDS=600 $(BIN)/pytest tests/webhooks/test_fuzz.py --timeout 900
	FUZZ_EXAMPLES=50 $(BIN)/pytest tests/api/test_schemathesis.py

fuzz-text: $(INSTALLED) ## format generated answers for WhatsApp for ten minutes, and check what a person reads
	FUZZ_SECONDS=600 $(BIN)/pytest tests/glific/test_text_fuzz.py --timeout 900

durability: $(INSTALLED) ## count lost and late answers during kills, bursts and outages, on both databases
	@for what in prompt kills takeover fair rotation; do for database in sqlite postgresql; do \
		$(BIN)/python -m benchmarks.durability $$what --database $$database || exit 1; done; done
	@for mode in auto async; do for database in sqlite postgresql; do \
		$(BIN)/python -m benchmarks.deferral --mode $$mode --database $$database || exit 1; done; done
	$(BIN)/python -m benchmarks.outages

abuse: $(INSTALLED) ## carry out every attack on a server, on both databases, and check the bounds
	$(BIN)/python -m benchmarks.abuse

lock: $(INSTALLED) ## update the pinned versions: pyproject.toml, requirements*.in, package.json, benchmarks/peers, benchmarks/lighthouse
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header pyproject.toml -o requirements.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header requirements-build.in -o requirements-build.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header requirements-node.in -o requirements-node.txt
	$(BIN)/uv pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-emit-find-links --no-header benchmarks/peers/requirements.in \
		-o benchmarks/peers/requirements.txt
	npm update --package-lock-only --omit-lockfile-registry-resolved=true
	cd benchmarks/peers && npm update --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved=true
	cd benchmarks/lighthouse && npm update --package-lock-only --ignore-scripts --omit-lockfile-registry-resolved=true

messages: $(INSTALLED) ## update the translation catalogue with the texts of the console
	$(BIN)/pybabel -q extract --no-location --sort-output --no-wrap -F babel.cfg -k lazy_gettext -k _l \
		-o $(TRANSLATIONS)/messages.pot .
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --no-wrap -i $(TRANSLATIONS)/messages.pot -d $(TRANSLATIONS)
	rm $(TRANSLATIONS)/messages.pot

pictures: $(INSTALLED) $(TRANSLATED) ## take the screenshots of the documentation again; make pictures ALL=folder takes every page, in all variants
	$(BIN)/python -m tests.console.pictures $(if $(ALL),--all $(ALL))

# Lighthouse needs a newer Node.js than many systems have, so it gets its own.
LIGHTHOUSE := .lighthouse/.installed

lighthouse: $(INSTALLED) $(TRANSLATED) $(COMPRESSED) $(LIGHTHOUSE) ## measure the main pages with Lighthouse, and write docs/console-quality.md
	$(BIN)/python -m benchmarks.lighthouse

$(LIGHTHOUSE): requirements-node.txt benchmarks/lighthouse/package.json benchmarks/lighthouse/package-lock.json
	$(PYTHON) -m venv .lighthouse/node
	.lighthouse/node/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-node.txt
	cp benchmarks/lighthouse/package.json benchmarks/lighthouse/package-lock.json .lighthouse
	PATH="$(CURDIR)/.lighthouse/node/bin:$$PATH" npm ci --silent --ignore-scripts --no-audit --no-fund --prefix .lighthouse
	@touch $@

clean: ## remove installed packages and caches, keep instance/
	rm -rf .venv node_modules .lighthouse .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

CHECK_PYTHON = @$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12 ...")'
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
COPY_ASSETS := $(BIN)/python -P glific_gpt/console/assets.py
NPM_CI := npm ci --silent --ignore-scripts --no-audit --no-fund

$(INSTALLED): requirements.txt requirements-dev.txt requirements-node.txt package-lock.json deploy/flask.sh
	$(CHECK_PYTHON)
	@echo "Installing into .venv. This takes about a minute the first time."
	@$(PYTHON) -m venv .venv
	@$(PIP_INSTALL) -r requirements.txt -r requirements-dev.txt
	@install -m 755 deploy/flask.sh $(BIN)/flask
	@command -v npm >/dev/null || $(PIP_INSTALL) -r requirements-node.txt
	@PATH="$$PATH:$(CURDIR)/$(BIN)" $(NPM_CI)
	@$(COPY_ASSETS)
	@rm -f $(PRODUCTION)
	@touch $@

# npm's packages and the compressor are needed only until the files of the console are made.
$(PRODUCTION): requirements.txt requirements-build.txt requirements-node.txt package-lock.json deploy/flask.sh
	$(CHECK_PYTHON)
	@echo "Installing into .venv, for production. This takes about a minute the first time."
	@if [ -e $(INSTALLED) ]; then rm -rf .venv; fi
	@$(PYTHON) -m venv .venv
	@$(PIP_INSTALL) -r requirements.txt
	@install -m 755 deploy/flask.sh $(BIN)/flask
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && cp package.json package-lock.json "$$folder" && \
		if ! command -v npm >/dev/null; then $(PYTHON) -m venv "$$folder/npm" && "$$folder/npm/bin/python" -m pip install \
			--quiet --disable-pip-version-check --require-hashes -r requirements-node.txt; fi && \
		PATH="$$PATH:$$folder/npm/bin" $(NPM_CI) --omit=dev --prefix "$$folder" && \
		$(PIP_INSTALL) --target "$$folder/build" -r requirements-build.txt && \
		PYTHONPATH="$$folder/build" $(COPY_ASSETS) "$$folder/node_modules"
	@touch $@

# An installation for production makes them itself, without the compressor in .venv.
$(COMPRESSED): $(STATIC) $(INSTALLED)
	@$(BIN)/python -c 'from glific_gpt.console.assets import compress_all; compress_all()'
	@touch $@

%.mo: %.po $(SERVER)
	@$(BIN)/pybabel -q compile -i $< -o $@
