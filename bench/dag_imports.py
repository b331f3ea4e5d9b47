"""Time how long each DAG file takes to parse, beyond `import airflow` itself: medians of five processes.

    .venv/bin/python bench/dag_imports.py [--json]

Each file is the only one of its process, so that it pays for everything it imports. Exit code 1 when one
takes longer than the limit.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from winback import paths

LIMIT_SECONDS = 0.5
RUNS = 5
_PROBE = """
import sys, time
from airflow.dag_processing.dagbag import DagBag
import airflow.sdk
airflow.sdk.dag, airflow.sdk.task, airflow.sdk.Asset  # Airflow imports these lazily
started = time.perf_counter()
bag = DagBag(sys.argv[1])
assert bag.dags and not bag.import_errors, bag.import_errors
print(time.perf_counter() - started)
"""


def seconds(file: Path, home: str) -> float:
    """Return the median time in which a process of its own parses one file."""
    environment = {**os.environ, "AIRFLOW_HOME": home, "AIRFLOW__CORE__LOAD_EXAMPLES": "False"}
    times = []
    for _ in range(RUNS):
        done = subprocess.run(
            [sys.executable, "-c", _PROBE, file], env=environment, capture_output=True, text=True, check=True
        )
        times.append(float(done.stdout.split()[-1]))
    return statistics.median(times)


def main() -> None:
    """Print the table, or JSON, and set the exit code."""
    with tempfile.TemporaryDirectory() as home:
        found = {file.name: round(seconds(file, home), 3) for file in sorted(paths.DAGS.glob("*.py"))}
    assert found
    if "--json" in sys.argv:
        print(json.dumps({"limit_seconds": LIMIT_SECONDS, "median_seconds": found}))
    else:
        for name, took in found.items():
            print(f"{name:<22} {took:.3f} s  (limit {LIMIT_SECONDS} s)")
    sys.exit(any(took > LIMIT_SECONDS for took in found.values()))


if __name__ == "__main__":
    main()
