# sexstrat. A fresh machine needs Python 3.11, 3.12 or 3.13 and make; every target below does its own set-up in .venv.
.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV_VERSION := 0.13.9
PYTHONS := python3.13 python3.12 python3.11 python3 python
EXTRAS := scoring,dicom,distributed
SHARED := $(or $(SEXSTRAT_SHARED),../shared)/data
LABELLED := .work/odir/images.csv .work/odir/labels.csv --split stable --conditions .work/odir/conditions.csv \
  --groups .work/odir/groups.csv --placeholder-age 1 --weights $(SHARED)/weights/mobilenet_1_0_224_tf_no_top.h5 \
  --about analyses/demonstration_model.toml --cache .work/odir/crops
PYTEST := $(BIN)/python -m pytest -q --benchmark-disable

# One thread a process where tests run side by side; a longer wait on slow networks; TensorFlow says only what matters.
export UV_HTTP_TIMEOUT ?= 300
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: help demo test check lint types imports format docs bench simulate odir model compare fuzz search crash wheel constraints clean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{printf "%-18s %s\n", $$1, $$2}'

demo: $(READY) ## the whole chain on the embedded sample; the page is demo-report/report.html
	@$(BIN)/sexstrat demo --out demo-report

test: $(READY) ## the tests, without the heavy lines
	OMP_NUM_THREADS=1 $(PYTEST) --numprocesses auto --maxprocesses 4 --dist loadfile $(PYTEST_ARGS)

check: lint types imports test ## what must pass before a commit

lint: $(READY) ## formatting and lint rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY) ## strict types
	$(BIN)/mypy

imports: $(READY) ## the stages import one way only
	$(BIN)/lint-imports

format: $(READY) ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(READY) ## the documentation as HTML, in docs/_build
	"$$(command -v $(BIN)/uv || command -v uv)" pip install --quiet --python $(BIN)/python -c constraints.txt --group docs
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build

bench: $(READY) ## heavy: speed and memory ratios
	$(BIN)/python -m pytest -q tests/benchmarks -m benchmark_suite

simulate: $(READY) ## heavy: coverage of every interval over many seeded cohorts
	$(BIN)/python tests/simulation/acceptance.py --anew
	$(PYTEST) tests/simulation -m slow

odir: $(READY) ## heavy: the study on the real photographs in ../shared/data, resumable
	@test -d $(SHARED)/odir5k || { echo "shared data are absent: $(SHARED)/odir5k" >&2; exit 1; }
	$(BIN)/python analyses/odir5k_prepare.py .work/odir --shared $(SHARED)
	$(BIN)/sexstrat train $(LABELLED) --folds 3 --phases 224x6 --freeze-to conv_pw_11_relu --out .work/odir/folds
	cp .work/odir/folds/scores.parquet .work/odir/scores.parquet
	$(BIN)/sexstrat run analyses/odir5k.toml --out out/odir
	$(BIN)/python analyses/odir5k_coverage.py .work/odir

model: $(READY) ## heavy: train the shipped model again, into .work/model, and measure it on people of another country
	@test -d $(SHARED)/odir5k || { echo "shared data are absent: $(SHARED)/odir5k" >&2; exit 1; }
	$(BIN)/python analyses/odir5k_prepare.py .work/odir --shared $(SHARED)
	$(BIN)/sexstrat train $(LABELLED) --phases 224x10 --unmeasured --out .work/teacher_224
	$(BIN)/sexstrat train $(LABELLED) --prepared 288 --phases 256x12 --members 2 --shared-epochs 4 --average-decay 0.99 \
	  --unmeasured --out .work/teacher_256
	$(BIN)/sexstrat train $(LABELLED) --prepared 288 --phases 256x5 --average-decay 0.99 --learning-rate 5e-5 --warm-up 0.5 --patience 2 \
	  --start .work/teacher_256/model --teacher .work/teacher_256/model --teacher .work/teacher_224/model --out .work/model
	$(BIN)/sexstrat models measure .work/odir/external_images.csv .work/odir/external_labels.csv \
	  --model .work/model/model --add-to-card \
	  --data "HEI-MED (other country, camera and people; nearly all diabetic)"

compare: $(READY) ## heavy: the sixteen networks by one recipe on the real photographs, resumable (PHASES=224x10 for more)
	@test -d $(SHARED)/odir5k || { echo "shared data are absent: $(SHARED)/odir5k" >&2; exit 1; }
	$(BIN)/python analyses/odir5k_prepare.py .work/odir --shared $(SHARED)
	$(BIN)/sexstrat compare .work/odir/images.csv .work/odir/labels.csv --conditions .work/odir/conditions.csv \
	  --groups .work/odir/groups.csv --placeholder-age 1 --weights mobilenet=$(SHARED)/weights/mobilenet_1_0_224_tf_no_top.h5 \
	  --phases $(or $(PHASES),75x2) --split stable --learning-rate 1e-3 --cache .work/compare/crops --out .work/compare

fuzz: $(READY) ## heavy: the property tests with many random examples, damaged photographs, tables and model files
	$(PYTEST) tests/properties tests/integration/test_image_fuzz.py -m 'slow or not slow' --hypothesis-profile=fuzz

search: $(READY) ## heavy: look in every byte of 200 releases a profile for what was withheld, and solve for it
	$(PYTEST) tests/integration/test_disclosure_search.py -m 'slow or not slow'

crash: $(READY) ## heavy: kill runs at every stage and resume them
	$(PYTEST) tests/integration -k 'kill or interrupt or resume or refuse' -m 'slow or not slow'

wheel: $(READY) ## heavy: build the wheel and run it in clean environments outside the checkout
	$(BIN)/python tests/wheel_smoke.py --uv "$$(command -v $(BIN)/uv || command -v uv)"

constraints: $(READY) ## pin every dependency again, with hashes (add UPGRADE=1 for the newest versions)
	"$$(command -v $(BIN)/uv || command -v uv)" pip compile pyproject.toml --quiet $(if $(UPGRADE),--upgrade) \
	  --extra scoring --extra dicom --extra distributed --group dev --group docs --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --no-header -o constraints.txt

clean: ## remove the environment, caches and the demo; results in out and .work stay
	rm -rf $(VENV) build dist demo-report docs/_build docs/reference/made .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks \
	  .import_linter_cache toolkit/sexstrat.egg-info
	find toolkit tests analyses data_schemas reports -name __pycache__ -type d -prune -exec rm -rf {} +

# Set up once, and again when what is installed changes. PYTHON=/path/to/python chooses the interpreter.
$(READY): pyproject.toml constraints.txt
	@set -eu; \
	fits='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'; \
	if ! [ -x $(BIN)/python ] || ! $(BIN)/python -c "$$fits" 2>/dev/null; then \
	  found=; \
	  for candidate in $(or $(PYTHON),$(PYTHONS)); do \
	    if "$$candidate" -c "$$fits" >/dev/null 2>&1; then found=$$candidate; break; fi; \
	  done; \
	  if [ -z "$$found" ]; then \
	    echo "No Python 3.11, 3.12 or 3.13 with its venv module was found (looked for: $(or $(PYTHON),$(PYTHONS)))." >&2; \
	    echo "Install one (on Debian or Ubuntu: apt-get install python3 python3-venv) or say PYTHON=/path/to/python." >&2; \
	    exit 1; \
	  fi; \
	  echo "sexstrat: making $(VENV) with $$("$$found" --version)"; \
	  "$$found" -m venv --clear $(VENV); \
	fi; \
	uv=$$(command -v $(BIN)/uv || command -v uv || true); \
	if [ -z "$$uv" ] || ! "$$uv" pip install --help 2>/dev/null | grep -q -- --group; then \
	  echo "sexstrat: fetching uv into $(VENV)"; \
	  $(BIN)/python -m pip --version >/dev/null 2>&1 || $(BIN)/python -m ensurepip >/dev/null; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check "uv==$(UV_VERSION)"; \
	  uv=$(BIN)/uv; \
	fi; \
	echo "sexstrat: installing the pinned packages into $(VENV) (minutes the first time, seconds after)"; \
	"$$uv" pip install --quiet --python $(BIN)/python --compile-bytecode \
	  -c constraints.txt -e '.[$(EXTRAS)]' --group dev; \
	touch $(READY)
