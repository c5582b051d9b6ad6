# Everything there is to run. A plain `make` lists it.
PYTHON ?= python3
TORCH ?= torch==2.13.0
PORT ?= 8866
VISITORS ?= 12
DEVICE ?= cpu
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
EXTRAS := demo,export,lab,images,models,nnunet,plot,smp,table,transformers
STATIC := pdcr_widgets/static
# Closing a page does not end its kernel: end those that nobody has watched for two minutes.
CULL := --MappingKernelManager.cull_idle_timeout=120 --MappingKernelManager.cull_interval=30
ROOT_FLAG := $(if $(filter 0,$(shell id -u)),--allow-root)

.PHONY: help demo lab teach load test dev js check-js lint format bench bench-ui fuzz python node chromium docs shots clean
.DEFAULT_GOAL := help

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(VENV)/.demo ## Open the explorer on the embedded brain case in Voila
	$(BIN)/python -m voila notebooks/explorer.ipynb --Voila.ip=127.0.0.1 --port=$(PORT) $(CULL) \
	  --VoilaExecutor.iopub_timeout=60

lab: $(VENV)/.lab ## Open the quickstart notebook in JupyterLab
	$(BIN)/python -m jupyterlab --LabApp.default_url=/lab/tree/notebooks/quickstart.ipynb \
	  --ip=127.0.0.1 $(ROOT_FLAG)

teach: $(VENV)/.demo ## Serve the five lessons to a class, on one page
	$(BIN)/python -m pdcr_widgets.classroom notebooks --port=$(PORT)

load: $(VENV)/.dev chromium ## Measure a class on two cores: first map, errors, memory (VISITORS=30)
	$(BIN)/python -m tests.bench.load --visitors $(VISITORS)

test: dev check-js lint chromium ## Build, type-check, lint and run every test
	$(BIN)/python -m pytest

dev: $(VENV)/.dev js/node_modules/.installed ## Install the development environment

js: js/node_modules/.installed ## Build the browser bundle in place, to be committed
	cd js && npm run build

check-js: js/node_modules/.installed ## Type-check, lint and test the TypeScript; is the bundle fresh?
	cd js && npm run check && npm run lint && npm test
	rm -rf build/static
	cd js && PDCR_STATIC=../build/static npm run build
	@diff -r build/static $(STATIC) || { echo "$(STATIC) is stale: run 'make js' and commit it"; exit 1; }

lint: $(VENV)/.dev ## Lint and type-check the Python
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: dev ## Format and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	cd js && npm run format

bench: $(VENV)/.dev ## Measure evaluations per second against the paper's own loops (DEVICE=cuda)
	$(BIN)/python -m tests.bench --device $(DEVICE)

bench-ui: $(VENV)/.dev chromium ## Measure the canvas in a browser: pointer, maps, slices
	$(BIN)/python tests/bench/ui.py

fuzz: $(VENV)/.dev ## Open thousands of damaged files of every format
	FUZZ_CASES=2000 $(BIN)/python -m pytest --timeout=1800 tests/test_images_hostile.py tests/test_images_fuzz.py
	$(BIN)/python tests/fuzz_coverage.py

docs: $(VENV)/.dev ## Build the documentation site in build/docs/site; a dead link is an error
	$(BIN)/python docs/build.py build/docs

shots: $(VENV)/.dev chromium ## Take the gallery's screenshots again
	$(BIN)/python docs/shots.py

clean: ## Remove what was installed and built
	rm -rf $(VENV) build dist js/node_modules

python:
	@$(PYTHON) -c 'import sys; v = sys.version_info; \
	  sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, $(PYTHON) is {v[0]}.{v[1]}; try make PYTHON=python3.12")'

node:
	@command -v node >/dev/null || { echo "Node 20 or newer is needed and was not found"; exit 1; }
	@node -e 'if (parseInt(process.versions.node) < 20) throw "Node 20 or newer is needed, this is " + process.version'

chromium: $(VENV)/.dev
	@sh .ci/chromium $(BIN)/python

$(VENV)/.made: | python
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --upgrade "pip>=25.1"
	$(PIP) install --quiet $(TORCH)
	@touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	$(PIP) install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.lab: pyproject.toml | $(VENV)/.made
	$(PIP) install --quiet --editable '.[demo,lab]'
	@touch $@

$(VENV)/.dev: pyproject.toml .ci/constraints.txt | $(VENV)/.made
	$(PIP) install --quiet --constraint .ci/constraints.txt --editable '.[$(EXTRAS)]' --group dev --group docs
	@touch $@

js/node_modules/.installed: js/package.json js/package-lock.json | node
	cd js && npm ci --no-fund --no-audit
	@touch $@
