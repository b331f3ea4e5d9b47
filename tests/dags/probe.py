"""Parse the DAG files in a process of its own and print, as JSON, what Airflow makes of them."""

import json
import sys
import warnings

from airflow.dag_processing.dagbag import DagBag

warnings.simplefilter("always")


def listed(callbacks):
    """Return callbacks as a list: Airflow keeps one as it is, but several, or none, as a list."""
    return callbacks if isinstance(callbacks, list | tuple) else [callbacks]


bag = DagBag(sys.argv[1])
# What Airflow's own packages say of each other, while a DAG file imports them, is not about our files.
caught = [
    said for several in bag.captured_warnings.values() for said in several if "site-packages" not in said
]
json.dump(
    {
        "errors": bag.import_errors,
        "warnings": caught,
        "dags": {
            dag.dag_id: {
                "doc": dag.doc_md or "",
                "tags": sorted(dag.tags),
                "catchup": dag.catchup,
                "max_active_runs": dag.max_active_runs,
                "timetable": type(dag.timetable).__name__,
                "tasks": {
                    task.task_id: {
                        "retries": task.retries,
                        "backoff": bool(task.retry_exponential_backoff),
                        "on_failure": [call.__name__ for call in listed(task.on_failure_callback)],
                        "outlets": [outlet.name for outlet in task.outlets],
                        "upstream": sorted(task.upstream_task_ids),
                    }
                    for task in dag.tasks
                },
            }
            for dag in bag.dags.values()
        },
    },
    sys.stdout,
)
