# Two commands set everything up: `make replay` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Development checkouts find the shared data beside the project; an explicit ECGMON_DATA wins.
ECGMON_DATA ?= $(wildcard $(abspath ../shared/data))
export ECGMON_DATA
# Also constrains the build environment, so that the build backend is pinned too.
export PIP_CONSTRAINT := $(abspath constraints.txt)
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: install install-dev replay test lint fast thorough slow coverage faults alarm-events people beats rhythms atrial beat-costs rhythm-costs window-costs beats-enrolment beats-openecg models same-bits upgrade demonstration pictures fuzz bench others capacity bench-against bench-grid model-choice qrs quality second-lead drift alarms soak results studies in-service enrolment-needs fleet lock clean

install: $(VENV)/.base
install-dev: $(VENV)/.dev

$(BIN)/python:
	@echo "Creating the virtual environment in $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ecgmon needs Python 3.11 or newer: make PYTHON=python3.11")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing ecgmon"
	@$(PIP) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	@echo "Installing the train and dev extras"
	@$(PIP) --editable '.[train,dev,fleet,fleet-server]'
	@touch $@

replay: install
	@$(BIN)/ecgmon replay 203 --or-simulate

test: lint fast thorough

lint: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

# Three workers on two cores, each file to one of them: a part of the time is spent waiting for other
# programs. In the order of the folders: reordered, the files with few but long tests come last, and
# the other workers wait. One thread each: more would wait for a core that another worker has.
fast: export OMP_NUM_THREADS := 1
fast: install-dev
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

# What is real and takes seconds: other programs, trainings, whole records. Before a change lands.
thorough: export OMP_NUM_THREADS := 1
thorough: install-dev
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder -m "thorough and not slow"

# docs/results/coverage.md: which lines these two suites run; twice as long as they are. Without the test
# that kills a program at each file that this opens: what measures it opens files, too.
coverage: export OMP_NUM_THREADS := 1
coverage: export COVERAGE_DATA := $(abspath runs/coverage/data)
coverage: install-dev
	rm -rf runs/coverage && mkdir -p runs/coverage
	$(BIN)/coverage run -m pytest -n 3 --dist loadfile --no-loadscope-reorder -m "not slow" \
		--ignore tests/ecgmon_cli/test_forget_killed.py
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage json --quiet --ignore-errors -o runs/coverage.json
	$(BIN)/python benchmarks/coverage_page.py

# Many more kills than the fast suite has time for.
slow: install-dev
	$(BIN)/pytest -m slow

# docs/results/faults.md: every fault found from outside, by the tests that hold it; some 15 minutes.
faults: install-dev
	$(BIN)/python benchmarks/faults.py

# docs/results/alarm-events.md: run it for two commits, then make the page (benchmarks/alarm_events.py).
LABEL ?= $(shell git rev-parse --short HEAD)
alarm-events: install-dev
	nice $(BIN)/python benchmarks/alarm_events.py run $(LABEL) $(BIN)/ecgmon

# The built-in models, reproducible from their seed.
models: install-dev
	$(BIN)/ecgmon train --out ecgmon/models/built_in/generic.onnx
	$(BIN)/ecgmon train --network beats --out ecgmon/models/built_in/beats.onnx
	$(BIN)/ecgmon train --network rhythms --out ecgmon/models/built_in/rhythms.onnx
	$(BIN)/ecgmon train --network atrial --out ecgmon/models/built_in/atrial.onnx
	$(BIN)/ecgmon train --patient 203 --out ecgmon/models/built_in/203.onnx
	$(BIN)/ecgmon train --patient simulated --out ecgmon/models/built_in/simulated.onnx

# The pictures of the live view in docs/: real records at real time in a terminal; tmux is needed.
pictures: install-dev
	$(BIN)/python benchmarks/pictures.py

# docs/results/demonstration.md
demonstration: install-dev
	$(BIN)/python benchmarks/demonstration.py

# docs/results/fuzz.md. Atheris is installed beside the project, of which it is no part.
MINUTES ?= 5
fuzz: install-dev
	@mkdir -p runs
	@test -d runs/fuzz || $(PIP) --no-deps --target runs/fuzz atheris==3.0.0
	PYTHONPATH=.:runs/fuzz nice $(BIN)/python benchmarks/fuzz.py $(MINUTES)

# docs/results/performance.md, some twenty minutes on a quiet machine: what serve costs against another
# commit and stage by stage, other ways of doing it, memory. The cost of the signal chain comes first.
BASE ?= 4ca67f9
bench: export OMP_NUM_THREADS := 1
bench: others
	$(BIN)/python benchmarks/signal_chain.py
	$(BIN)/python benchmarks/build_costs.py $(BASE)
	$(BIN)/python benchmarks/worker_costs.py
	$(BIN)/python benchmarks/stages.py
	$(BIN)/python benchmarks/footprint.py
	$(BIN)/python benchmarks/performance_page.py

# What a wearer-second costs in other packages. They are installed beside the project, of which they
# are no part; what they need and the project has is taken from it.
OTHERS := neurokit2==0.2.13 biosppy==2.2.4 openecg==0.11.0 opendsp==0.1.0 pywavelets==1.9.0 bidict==0.24.1 h5py==3.16.0 shortuuid==1.0.13 mock==5.2.0 peakutils==1.3.5 six==1.17.0
others: export OMP_NUM_THREADS := 1
others: install-dev
	@mkdir -p runs
	@test -d runs/others || $(PIP) --no-deps --target runs/others $(OTHERS)
	PYTHONPATH=.:runs/others $(BIN)/python benchmarks/others.py

# docs/results/performance.md: the largest number of wearers on one core, and the delay up to there; an
# hour and a half on a quiet machine. A run that was stopped goes on.
capacity: export OMP_NUM_THREADS := 1
capacity: install-dev
	$(BIN)/python benchmarks/capacity.py
	$(BIN)/python benchmarks/performance_page.py

# docs/results/signal-chain.md: this build and another commit's in turns, some minutes.
bench-against: install-dev
	$(BIN)/python benchmarks/against.py $(BASE)

# docs/results/same-bits.md: every record of mitdb through this commit and another one; some 20 minutes,
# a run that was stopped goes on.
same-bits: install-dev
	nice $(BIN)/python benchmarks/same_bits.py run $(BASE)
	$(BIN)/python benchmarks/same_bits.py page

# 0.1.0's wheel and today's in turns on one state folder, then removal (docs/service.md).
upgrade: install-dev
	$(BIN)/pytest -m slow tests/survival/test_upgrade.py

# The grid search of docs/results/study against the plain loop: about 6 minutes.
bench-grid: install-dev
	$(BIN)/python benchmarks/grid.py

# docs/results/model-choice.md: variants that model-choice.json holds are not run again.
model-choice: install-dev
	$(BIN)/python benchmarks/model_choice.py

# docs/results/people.md: some minutes; less than one where runs/beats holds what it prepares.
people: install-dev
	$(BIN)/python benchmarks/people.py

# docs/results/beats.md: each record through the monitor with the model that never saw its wearer; the
# models first (some 20 minutes), then some 30 minutes. What is kept of both is not done again.
MODELS ?= runs/beat-models
beats: install-dev
	nice $(BIN)/python benchmarks/beat_models.py $(MODELS)
	nice $(BIN)/python benchmarks/beats.py $(MODELS)

# docs/results/rhythms.md: the first time some half hour, for the people's seconds are prepared (into
# runs/rhythms), five models trained and 162 records played. What is kept of all this is not done again.
rhythms: install-dev
	nice $(BIN)/python benchmarks/rhythms.py runs/rhythm-models

# docs/results/atrial.md: the first time some half hour, as above (runs/atrial).
atrial: install-dev
	nice $(BIN)/python benchmarks/atrial.py runs/atrial-models

# docs/results/beat-costs.md: some four minutes on a quiet machine.
beat-costs: export OMP_NUM_THREADS := 1
beat-costs: install-dev
	$(BIN)/python benchmarks/beat_costs.py

# docs/results/beats-enrolment.md: offline, some 20 minutes, with the models of `make beats`.
beats-enrolment: install-dev
	nice $(BIN)/python benchmarks/beat_models.py $(MODELS)
	nice $(BIN)/python benchmarks/beat_enrolments.py $(MODELS)

# docs/results/window-costs.md: some five minutes on a quiet machine.
window-costs: export OMP_NUM_THREADS := 1
window-costs: install-dev
	$(BIN)/python benchmarks/window_costs.py

# docs/results/rhythm-costs.md: some four minutes on a quiet machine.
rhythm-costs: export OMP_NUM_THREADS := 1
rhythm-costs: install-dev
	$(BIN)/python benchmarks/rhythm_costs.py

# docs/results/beats-openecg.json: half an hour.
beats-openecg: install-dev
	@$(PIP) --editable '.[train,dev,bench]'
	nice $(BIN)/python benchmarks/openecg_beats.py

# docs/results/qrs.md: seconds.
qrs: install-dev
	$(BIN)/python benchmarks/qrs.py

# docs/results/quality.md: some minutes.
quality: install-dev
	$(BIN)/python benchmarks/quality.py

# docs/results: the protocols; interrupted work is taken up. Two processes share the study's searches.
STUDY := $(BIN)/ecgmon evaluate --protocol study --storage sqlite:///runs/study.db
results: install-dev
	@mkdir -p runs
	$(STUDY) --work runs/b --out runs/b >/dev/null 2>&1 & $(STUDY) --work runs/a && wait
	$(BIN)/ecgmon evaluate --protocol new-wearer
	$(BIN)/ecgmon evaluate --protocol new-wearer --database svdb
	$(BIN)/ecgmon evaluate --protocol enrolment
	$(BIN)/ecgmon evaluate --protocol inter-patient

# docs/results/studies.md: studies 2 to 5, at most three hours; two processes share the jobs.
STUDIES := $(BIN)/ecgmon evaluate --protocol studies
studies: install-dev
	@mkdir -p runs
	$(STUDIES) >runs/studies.log 2>&1 & other=$$!; $(STUDIES); here=$$?; wait $$other && exit $$here

# docs/results/second-lead.md: some minutes.
second-lead: install-dev
	nice $(BIN)/python benchmarks/second_lead.py

# docs/results/drift.md: ten minutes.
drift: install-dev
	nice $(BIN)/python benchmarks/drift.py

# docs/results/alarms.md: a quarter of an hour, the first half of it in real time. Work that is done
# is kept as long as the code stays the same.
alarms: install-dev
	$(BIN)/python benchmarks/alarms.py soon
	nice $(BIN)/python benchmarks/alarms.py false noise

# docs/results/in-service.md: after results and beats: every wearer through the monitor with every way's
# model, without and with a model of beats; some ten minutes.
in-service: install-dev
	nice $(BIN)/python benchmarks/in_service.py

# docs/results/enrolment-needs.md: after results; some half hour.
enrolment-needs: install-dev
	nice $(BIN)/python benchmarks/enrolment_needs.py

# docs/results/soak.md: 50 wearers for two hours, with cuts.
soak: install-dev
	$(BIN)/python benchmarks/soak.py

# A whole fleet on this machine, with 300 simulated wearers, until Ctrl-C (docs/fleet.md).
fleet: install-dev
	$(BIN)/python benchmarks/fleet_demo.py

lock: install-dev
	$(BIN)/python -m pip freeze --exclude-editable --all | grep -v -E "^(pip|setuptools|wheel)==" | sed "s,+cpu,," > constraints.txt

clean:
	rm -rf $(VENV) dist build
