"""Airflow imports this in each of its processes as it starts: here to make starting, and tasks, quick."""

import gc
import importlib
import sys

# Starting only makes objects, thousands of them, and nothing to collect: with Python's usual thresholds
# the API server needs 8.3 seconds of processor time instead of 6.7.
gc.set_threshold(50_000, 20, 20)

# Tasks are forks of the scheduler. What it has imported they need not import again: 5.5 seconds each.
# Only packages of others: our own code is read anew by every task, so that it can be edited meanwhile.
if "scheduler" in sys.argv:
    for package in ("great_expectations", "dbt.cli.main"):
        importlib.import_module(package)
