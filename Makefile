# make run · make test · make check · make clean
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check clean

run: $(VENV)/app
	@deploy/run.sh $(BIN)

test: $(VENV)/dev
	@deploy/test-needs.sh
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pip check
	$(BIN)/python deploy/audit_packages.py

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +

$(VENV)/app: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/dev: requirements-dev.txt $(VENV)/app
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@
