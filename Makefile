# Works in a new clone in any folder. Everything that it creates is in .venv and .cache.
SHELL := /bin/bash -eu
BIN := .venv/bin
OLD_PYROUTE2 := 0.7.7 0.7.2

# The plugins of the checkout come first, even if the user has installed the collection.
export ANSIBLE_COLLECTIONS_PATH = $(CURDIR)/$(wildcard .venv/lib/python3.*/site-packages)

.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help setup bridge_nat test test-tools test-all test-old-pyroute2 test-pythons soak molecule compatibility docs lint \
	lock clean

help:  ## print this list
	@awk -F ':.*## ' '/^[a-z_0-9-]+:.*## /{printf "make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/stamp  ## make .venv with Ansible, pyroute2 and the test tools

# A virtual environment contains its absolute path, and so does the stamp. In a moved checkout, make creates it again.
ifneq ($(file <.venv/stamp),$(CURDIR))
.PHONY: .venv/stamp
endif
.venv/stamp: requirements.txt tools/setup
	@tools/setup

bridge_nat: setup  ## build the bridge and NAT lab on this machine (ARGS='-e lab_state=absent' and the like)
	$(BIN)/ansible-playbook playbooks/bridge_nat.yml -e bridge_nat_internet=true $(ARGS)

test: test-all test-old-pyroute2 test-pythons  ## run all tests: newest and old pyroute2, all installed Pythons

test-tools:
	@tools/need ip:iproute2 nft:nftables ping:iputils-ping tcpdump:tcpdump dot:graphviz
	@tools/unpack .cache/firewalls iptables docker.io firewalld ufw

# These tests spend most of their time waiting. They run in a separate process, so that the others use the processors.
WAITING := tests/campaigns tests/integration/test_firewall.py tests/integration/test_host_firewall.py \
	$(wildcard tests/integration/test_connectivity*.py)

test-all: setup test-tools  ## run pytest with the newest pyroute2
	@tools/side-by-side "$(BIN)/python -m pytest -m 'playbook and not other_half' tests" \
		"$(BIN)/python -m pytest -m 'not playbook or other_half' tests $(WAITING:%=--ignore=%)" \
		"$(BIN)/python -m pytest -m 'not playbook or other_half' $(WAITING)"

# The tests whose result can depend on the version of pyroute2.
WITH_PYROUTE2 := bridge export fields leaks link lab_info netns_info persist scale topology \
	topology_present without_pyroute2

test-old-pyroute2: setup test-tools  ## run the tests that need pyroute2 with the versions of Debian 13 and 12
	@tools/side-by-side $(foreach version,$(OLD_PYROUTE2),"tools/with-pyroute2 $(version) -m pytest -m 'not playbook' \
		$(WITH_PYROUTE2:%=tests/integration/test_%.py)")

test-pythons: setup  ## run the unit tests on the other installed Pythons
	@tools/test-pythons

# A failure prints its SEED, with which `make test` tries the same sample again.
soak: setup test-tools  ## run all points of the campaigns: killed runs, refusals, random labs (takes hours)
	SOAK=1 nice $(BIN)/python -m pytest tests/campaigns

molecule: setup  ## apply the labs to virtual machines (ARGS=bridge_nat: only that scenario)
	@tools/molecule $(ARGS)

compatibility: setup  ## write the records of make molecule into docs/compatibility.md (ARGS=--check compares)
	$(BIN)/python tools/compatibility.py $(ARGS)

docs: setup test-tools  ## write the generated parts of the pages in docs (ARGS=--check compares)
	$(BIN)/python tools/topology_docs.py $(ARGS)
	$(BIN)/python tools/lab_pages.py $(ARGS)

lint: setup  ## run ansible-lint, ansible-test sanity, ruff and the other static gates
	@tools/lint

lock: setup  ## write versions and hashes of everything that pip installs (UPGRADE=1: newest allowed ones)
	@UPGRADE=$(UPGRADE) tools/lock

clean:  ## remove .venv and caches
	rm -rf .venv .ansible .cache .pytest_cache .ruff_cache changelogs/.plugin-cache.yaml tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
