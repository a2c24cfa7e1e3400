# The two commands of the README are `make report` and `make test`; `make help` lists the others.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
SNAKEMAKE := $(BIN)/snakemake
WHEELHOUSE ?=
MANIFEST ?=
SCRATCH ?=
AUDITOR ?= not named

.PHONY: help report page test test-slow quarto cluster check docs lock synthesize adopt-synthetic manifest freeze audit verify diff reference resume new-survey check-survey debug wheelhouse clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## / — /' | sort

report: $(INSTALLED)  ## install, run the pipeline, print where the report is
	@$(SNAKEMAKE)
	@for survey in $$($(BIN)/python -c "import yaml; print(*yaml.safe_load(open('config/config.yaml'))['surveys'])"); do \
	  echo "report: reports/$$survey/summary.html (also .pdf and .docx)"; done

page: $(INSTALLED)  ## the page after a changed sentence, for a look, in seconds: make page SURVEY=ph2022
	@$(BIN)/python scripts/report/preview_page.py --survey "$(or $(SURVEY),ph2022)"

test: $(INSTALLED)  ## the test suite
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder -m "not slow"

test-slow: $(INSTALLED)  ## coverage studies, calibration of models, many interruptions: hours
	@$(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder -m slow

$(INSTALLED): requirements.lock pyproject.toml
	@echo "installing into $(VENV) from requirements.lock (about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(WHEELHOUSE),--no-index --find-links $(WHEELHOUSE)) --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

quarto: $(INSTALLED)  ## add Quarto to the environment, where its release can be downloaded
	@mkdir -p logs  # without its Jupyter dependencies: the report holds no code to be executed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps "quarto-cli>=1.7" \
	  > logs/quarto.log 2>&1 && echo "Quarto is installed: the next run renders with it." \
	  || echo "Quarto could not be downloaded here (logs/quarto.log says why); the built-in renderer is used."

cluster: $(INSTALLED)  ## add what profiles/slurm needs to the environment
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
	  $(if $(WHEELHOUSE),--no-index --find-links $(WHEELHOUSE)) -r requirements-cluster.lock

check: $(INSTALLED)  ## lint, formats, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(SNAKEMAKE) --lint

synthesize: $(INSTALLED)  ## make the synthetic exports anew (under data/processed/synthetic/)
	@$(SNAKEMAKE) synthesize

adopt-synthetic: synthesize  ## copy them to data/raw/ and rewrite the manifests
	@$(BIN)/python scripts/synthesize/adopt_export.py

new-survey: $(INSTALLED)  ## draft a survey from its export: make new-survey ID=pilot EXPORT=… [XLSFORM=…] [READER="delimiter=;"]
	@$(BIN)/python scripts/ingest/draft_survey.py --survey "$(ID)" --export "$(EXPORT)" --xlsform "$(XLSFORM)" \
	  --reader "$(READER)"

check-survey: $(INSTALLED)  ## what is wrong or left to decide in a survey's files: make check-survey ID=pilot
	@$(BIN)/python scripts/ingest/check_survey.py --survey "$(ID)"

debug: $(INSTALLED)  ## one rule again, alone, with its traceback: make debug SURVEY=ph2022 RULE=clean_responses
	@PREVALENCE_TRACEBACK=1 $(SNAKEMAKE) "$(SURVEY)" --cores 1 --forcerun "$(RULE)" --until "$(RULE)"

wheelhouse: $(INSTALLED)  ## every package as a file, for a machine without internet
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --require-hashes -r requirements.lock -d wheelhouse
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-cluster.lock -d wheelhouse
	@$(BIN)/python -m pip download --quiet --disable-pip-version-check "setuptools>=77" wheel -d wheelhouse
	@echo "Take the folder wheelhouse along; there: make report WHEELHOUSE=wheelhouse"

manifest: $(INSTALLED)  ## after a correction of raw data: make manifest SURVEY=ph2022 REASON="…"
	@$(BIN)/python scripts/ingest/write_manifest.py --survey "$(SURVEY)" --reason "$(REASON)"

freeze: $(INSTALLED)  ## put the headline's choices on record, before results are seen: make freeze SURVEY=pilot
	@$(BIN)/python scripts/audit/freeze_headline.py --survey "$(SURVEY)"

docs: $(INSTALLED)  ## write the generated pages of docs/ anew
	@$(BIN)/python scripts/audit/write_data_dictionary.py
	@$(BIN)/python scripts/audit/write_studies_page.py
	@$(BIN)/python scripts/audit/draw_dag.py
	@$(SNAKEMAKE) --quiet all -- data/processed/ph2022/staged/figures/headline.svg
	@cp data/processed/ph2022/staged/figures/headline.svg docs/figures/headline.svg

lock:  ## resolve the dependencies of pyproject.toml into requirements.lock (needs uv)
	uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet -o requirements.lock
	uv pip compile pyproject.toml --extra cluster --constraints requirements.lock --universal --python-version 3.11 \
	  --generate-hashes $$(grep -oE '^[A-Za-z0-9._-]+==' requirements.lock | sed 's/==//; s/^/--no-emit-package /') \
	  --no-header --no-annotate --no-emit-index-url --no-emit-find-links --quiet -o requirements-cluster.lock

audit: $(INSTALLED)  ## re-run from raw data in a clean copy and compare: make audit SURVEY=ph2022 MANIFEST=…
	@$(BIN)/python scripts/audit/audit_run.py --survey "$(or $(SURVEY),ph2022)" --manifest "$(MANIFEST)" \
	  --scratch "$(SCRATCH)" --auditor "$(AUDITOR)"

verify: $(INSTALLED)  ## compare what stands here with the committed manifest, without running it anew
	@$(BIN)/python scripts/audit/audit_run.py --survey "$(or $(SURVEY),ph2022)" --manifest "$(MANIFEST)" --standing

diff: $(INSTALLED)  ## what changed between two runs, by exhibit: make diff OLD=… NEW=… (default: committed and present run)
	@$(if $(NEW),,$(SNAKEMAKE) data/processed/$(or $(SURVEY),ph2022)/audit/manifest.json --quiet all)
	@$(BIN)/python scripts/audit/compare_runs.py --survey "$(or $(SURVEY),ph2022)" --old "$(OLD)" --new "$(NEW)"

reference: $(INSTALLED)  ## commit to what the run makes: the manifest in data/reference/ and the README's generated parts
	@$(BIN)/python scripts/audit/audit_run.py --survey "$(or $(SURVEY),ph2022)" --scratch "$(SCRATCH)" --reference

resume: $(INSTALLED)  ## after a killed run: unlock and complete, unless a run is alive
	@$(BIN)/python scripts/audit/resume_run.py

clean:  ## delete what was computed; never raw data
	rm -rf data/processed/*/ logs/*/ reports/compare $(patsubst config/surveys/%.yaml,reports/%,$(wildcard config/surveys/*.yaml))
