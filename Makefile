# make run    the whole platform on this machine        http://127.0.0.1:8000/  (PORT=8000 SANDBOX_PORT=8001)
# make test   every check and test
# make help   the rest
PYTHON ?= python3
PORT ?= 8000
SANDBOX_PORT ?= 8001
VIDEO_TOOLS ?= 1
RUN := .venv/bin/python
DEV := .venv-dev/bin/python
.DEFAULT_GOAL := help
.PHONY: help run test check format bench bench-growth bench-growth-payments soak-viewers soak-payments soak-transcodes clean clean-all

help:
	@echo "make run      start everything on this machine (PORT=$(PORT), SANDBOX_PORT=$(SANDBOX_PORT); VIDEO_TOOLS=0 installs no ffmpeg)"
	@echo "make test     all checks, then the tests on SQLite and PostgreSQL"
	@echo "make check    the checks alone (style, types, layers, migrations, schema, licences)"
	@echo "make bench    load measurements against granian and PostgreSQL (needs wrk)"
	@echo "make soak-viewers   a thousand students watch for ten minutes"
	@echo "make soak-payments  two thousand random histories of payments, each held against Stripe's books"
	@echo "make soak-transcodes  workers of our own video host are killed fifty times, in the middle of everything"
	@echo "make bench-growth   the same reads at 100,000 and 10,000,000 sessions (15 minutes, 15 GB)"
	@echo "make bench-growth-payments   payments at 1,000 and 1,000,000 orders (10 minutes, 3 GB)"
	@echo "make format   format and sort the code"
	@echo "make clean    remove var/ (database, sandbox, mails, uploads)"

run: .venv/installed
	@VIDEO_TOOLS=$(VIDEO_TOOLS) $(RUN) -m embedded.tools
	@PORT=$(PORT) SANDBOX_PORT=$(SANDBOX_PORT) exec $(RUN) -m embedded.run

test: .venv-dev/installed
	@$(DEV) -m quality all

check: .venv-dev/installed
	@$(DEV) -m quality checks

bench: .venv-dev/installed
	@$(DEV) -m benchmarks

soak-viewers: .venv-dev/installed
	@$(DEV) -m benchmarks.soak_viewers

soak-payments: .venv-dev/installed
	@$(DEV) -m benchmarks.soak_payments

soak-transcodes: .venv-dev/installed
	@$(DEV) -m benchmarks.soak_transcodes

bench-growth: .venv-dev/installed
	@$(DEV) -m benchmarks.growth

bench-growth-payments: .venv-dev/installed
	@$(DEV) -m benchmarks.growth_payments

format: .venv-dev/installed
	@$(DEV) -m ruff format . && $(DEV) -m ruff check --fix .

clean:
	rm -rf var

clean-all: clean
	rm -rf .venv .venv-dev

.venv/installed: requirements.txt requirements-sandbox.txt
	@echo "Installing what 11Tutors needs (once) ..."
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -m venv .venv
	@$(RUN) -m pip install --quiet --disable-pip-version-check -r requirements-sandbox.txt
	@touch $@

.venv-dev/installed: requirements.txt requirements-sandbox.txt requirements-video-tools.txt requirements-dev.txt
	@echo "Installing what the tests need (once) ..."
	@$(PYTHON) -m venv .venv-dev
	@$(DEV) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
