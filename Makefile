# make demo       set up, then the main job on made-up people
# make test       set up, then the tests
# make test-slow  the tests that take minutes and gigabytes each, which make test leaves out
# make check      lint, types, and a wheel that imports
# make docs       the pages of docs/ as a site, in site/
# make advisories asks whether weaknesses of the pinned versions are known; needs a network
# make hashes     writes requirements/*.txt anew from constraints.txt, with the hashes of all files; needs a network

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
DEMO_READY := .venv/.ready-demo
DOCS_READY := .venv/.ready-docs
PINS_READY := .venv/.ready-pins
WORKERS ?= 2

.PHONY: demo test test-slow check docs advisories hashes clean

demo: $(DEMO_READY)
	$(BIN)/understudy demo --output demo

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	rm -rf build/wheel && mkdir -p build/wheel
	$(BIN)/python -m build --wheel --outdir build/wheel .
	$(BIN)/python -m pip install --quiet --no-deps --target build/wheel/installed build/wheel/*.whl
	cd build/wheel && PYTHONPATH=installed ../../$(BIN)/python -c "import understudy; assert 'installed' in understudy.__file__, understudy.__file__; print('the wheel imports:', understudy.__version__)"

docs: $(DOCS_READY)
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

# Strict: a version that nothing could be learnt about is an error, and not "no known vulnerabilities".
advisories: $(PINS_READY)
	$(BIN)/pip-audit --strict --disable-pip --no-deps --requirement constraints.txt

hashes: $(PINS_READY)
	$(BIN)/python requirements/write.py

# Each installs once, and again only when what to install has changed; what the tests need comes on top of the rest.
$(DEMO_READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info else "understudy needs Python 3.10 or newer; this is %d.%d: try make PYTHON=python3.11" % sys.version_info[:2])'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e .
	$(BIN)/understudy weights fetch > /dev/null
	@touch $(DEMO_READY)

$(READY): $(DEMO_READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $(READY)

$(DOCS_READY): $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[docs]'
	@touch $(DOCS_READY)

$(PINS_READY): $(READY)
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[pins]'
	@touch $(PINS_READY)

clean:
	rm -rf .venv build dist demo site src/*.egg-info
