# make run · make test · make test-fast · make test-installation · make check · make docs · make site · make pictures ·
# make coverage · make lock · make release · make texts · make clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# The tests' files and databases are in memory where that has room for them (4 GB), and programs may run from there.
FILES := $(shell grep -q ' /dev/shm .*noexec' /proc/mounts || \
	df -Pk /dev/shm 2>/dev/null | awk 'NR == 2 && $$4 > 4000000 { print "TMPDIR=/dev/shm" }')
# Python keeps what it compiled, since each of very many child processes would compile the program again.
KEPT := PYTHONDONTWRITEBYTECODE=
# Three processes on two processors, since tests wait, too; one file of tests after the other, in the order of
# tests/conftest.py: what takes longest comes first.
IN_THREE := -m pytest -n 3 --dist loadfile --no-loadscope-reorder
# What measures, or installs, has a processor for itself.
IN_TWO := -m pytest -n 2 --dist loadfile --no-loadscope-reorder
# At the end: what took longest, and the time beside that of a loop, so that two machines can be compared.
PYTEST := $(FILES) $(KEPT) $(BIN)/python $(IN_THREE) --durations=15 --durations-min=5 -p tests.support.machine_speed
# What takes long and is not needed for each change: real processes and browsers, scenarios, attacks, long properties,
# the second database, and what measures the time of a password's hash.
LONG := browser processes invariants scenarios security real_terminal
FAST := $(LONG:%=--ignore=tests/%) -k "not postgresql" -m "not full_scrypt and not long"

# Targets of their own: what takes root on Debian and installs the program many times over, with it the benchmarks at
# small numbers, which measure a server each; and the guides' pictures.
INSTALLATION := tests/installation tests/benchmarks
APART := $(INSTALLATION:%=--ignore=%) --ignore=tests/pictures
PICTURES := $(FILES) $(KEPT) $(BIN)/python $(IN_TWO) tests/pictures

.PHONY: run test test-fast test-installation check coverage site docs pictures lock release texts clean

run: $(VENV)/app
	@[ -e hikflask/help/script-hashes.json ] || echo "Building the guides, once; this takes a minute."
	@[ -e hikflask/help/script-hashes.json ] || $(MAKE) --silent site >/dev/null 2>&1 || \
		echo "The guides are not among the pages this time; \"make site\" says why."
	@deploy/run.sh $(BIN)

test: $(VENV)/dev
	@deploy/test-needs.sh
	$(PYTEST) $(APART)

# For daily work, in about three minutes; `make test` proves everything.
test-fast: $(VENV)/dev
	$(PYTEST) $(APART) $(FAST)

test-installation: $(VENV)/dev
	$(BIN)/python $(IN_TWO) $(INSTALLATION)

# .pre-commit-config.yaml has the same.
check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pip check
	$(BIN)/python deploy/audit_packages.py

# The guides as the program serves them at /help/; a broken link fails.
site: export NO_MKDOCS_2_WARNING = 1
site: $(VENV)/docs
	$(BIN)/python -m mkdocs build --config-file docs/mkdocs.en.yml
	$(BIN)/python -m mkdocs build --config-file docs/mkdocs.ru.yml

# The site as a browser shows and searches it, and its pictures, which must be those of the present pages.
docs: $(VENV)/dev
	$(MAKE) site
	$(PICTURES)

# Draws them anew where pages have changed; look at them, and commit them.
pictures: $(VENV)/dev
	$(PICTURES)/test_pictures.py --renew

# By branches, the least covered modules first, and the line for README.md; TESTS names a part. Of the tests for daily
# work alone: the others run the same code again, in processes and in time with each other, which measuring slows down.
TESTS := tests
coverage: $(VENV)/dev
	$(BIN)/coverage erase
	-$(FILES) $(KEPT) $(BIN)/coverage run $(IN_THREE) $(APART) $(FAST) $(TESTS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	@echo "Coverage by branch: $$($(BIN)/coverage report --format=total) % ($$($(BIN)/python -c 'from hikflask.version import VERSION as v; print(v)'), $$(date -I))."

# What stands in pyproject.toml, and all that it needs, with hashes, for each Python and machine that is supported.
# `make lock UPGRADE=--upgrade` takes the newest of what is not declared, too.
LOCK := $(BIN)/uv pip compile $(UPGRADE) --quiet --universal --generate-hashes --no-strip-extras --no-header pyproject.toml
WITHIN := --constraint requirements-dev.txt
lock: $(VENV)/dev
	$(LOCK) --extra faces --group dev --output-file requirements-dev.txt
	$(LOCK) --group test $(WITHIN) --output-file requirements.txt
	$(LOCK) $(WITHIN) --output-file requirements-app.txt
	$(LOCK) --extra faces $(WITHIN) --output-file requirements-faces.txt
	$(LOCK:pyproject.toml=) --group pyproject.toml:docs $(WITHIN) --output-file requirements-docs.txt
	$(LOCK:pyproject.toml=) --group pyproject.toml:build $(WITHIN) --output-file requirements-build.txt

# Wheel, sdist (both with the guides), SBOM and checksums in dist/, and a second time elsewhere: the same, byte by byte.
release: $(VENV)/dev
	$(BIN)/python deploy/release.py
	RELEASE=made $(FILES) $(KEPT) $(BIN)/python -m pytest -q tests/release

# Brings new texts of pages into the catalogue, where they wait for their translation, compiles it, and writes the table of
# settings in the guides.
POT := $(VENV)/messages.pot
WIDE := --width 120
texts: $(VENV)/dev
	$(BIN)/pybabel -q extract --mapping-file babel.cfg --keywords "_l N_ Setting:3 _days:3 ngettext:1,2 pgettext:1c,2" \
		--no-location --sort-output $(WIDE) --output $(POT) .
	$(BIN)/pybabel -q update --input-file $(POT) --output-dir hikflask/translations --locale ru $(WIDE) \
		--no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date
	$(BIN)/pybabel -q compile --directory hikflask/translations
	$(BIN)/python -m docs.settings_table

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage* dist
	find . -name __pycache__ -prune -exec rm -rf {} +

# Face detection is optional, and OpenCV has no package for every machine.
$(VENV)/app: requirements.txt requirements-faces.txt
	@deploy/check-python.sh $(PYTHON)
	@echo "Installing the packages of the program into $(VENV), once; this takes a minute or two."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-faces.txt || \
		echo "Without OpenCV no face is looked for in photos; all else works."
	@touch $@

$(VENV)/docs: requirements-docs.txt $(VENV)/app
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/app
	@echo "Installing what tests and checks need into $(VENV), once; this takes a minute or two."
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
