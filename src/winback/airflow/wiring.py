"""What all DAGs share: defaults, assets, timetables, the business day of a run, and who hears of failures."""

from datetime import date, datetime, timedelta
from typing import Any

from airflow.sdk import Asset, CronPartitionTimetable, PartitionedAtRuntime

from winback.config import load_settings
from winback.errors import WinbackError

# One asset per feed that a build waits for, one for the published marts, and one for the workbooks of tasks
# that came back. Their events carry the business day as partition key.
ORDERS = Asset("winback_orders")
COMPLAINTS = Asset("winback_complaints")
MARTS = Asset("winback_marts")
RETURNED = Asset("winback_returned_tasks")

KEY_FORMAT = "%Y-%m-%d"


def tell_of_failure(context: Any) -> None:
    """Open an incident for a task whose last try has failed, and mail it to the data engineers."""
    from winback.report.incident import report_failure  # noqa: PLC0415 -- DAG files parse without it

    task = context["task"]
    report_failure(
        load_settings(),
        dag_id=task.dag_id,
        task=f"{task.task_id} {getattr(task, 'op_kwargs', {}).get('feed', '')}".strip(),
        day=failed_day(context),
        error=context.get("exception"),
    )


DEFAULTS: dict[str, Any] = {
    "owner": "winback",
    "retries": 3,
    "retry_delay": timedelta(minutes=1),
    "retry_exponential_backoff": True,
    "max_retry_delay": timedelta(minutes=30),
    "on_failure_callback": tell_of_failure,
}
SETTINGS: dict[str, Any] = {
    "catchup": False,
    "max_active_runs": 1,
    "default_args": DEFAULTS,
    "tags": ["winback"],
}


def each_day(schedule: str, time_zone: str) -> CronPartitionTimetable | PartitionedAtRuntime:
    """Return a timetable whose runs are about the day before; `by_hand` waits for runs by the API."""
    return _by_key(schedule, time_zone, run_offset=-1)


def on_issue(schedule: str, time_zone: str) -> CronPartitionTimetable | PartitionedAtRuntime:
    """Return a timetable whose runs carry the day of issue itself."""
    return _by_key(schedule, time_zone, run_offset=0)


def _by_key(schedule: str, time_zone: str, run_offset: int) -> CronPartitionTimetable | PartitionedAtRuntime:
    if schedule == "by_hand":
        return PartitionedAtRuntime()
    return CronPartitionTimetable(schedule, timezone=time_zone, run_offset=run_offset, key_format=KEY_FORMAT)


def business_day(dag_run: Any) -> date:
    """Return the day that a run is about: its partition key, or `business_day` of its configuration.

    Raises:
        WinbackError: the run names no day, or one that is no date.
    """
    named = dag_run.partition_key or (dag_run.conf or {}).get("business_day")
    try:
        return datetime.strptime(named or "", KEY_FORMAT).date()
    except (TypeError, ValueError):
        raise WinbackError(
            f"run {dag_run.run_id}: no business day (found {named!r}).",
            'trigger it with {"partition_key": "YYYY-MM-DD"}, or with the configuration '
            '{"business_day": "YYYY-MM-DD"}',
        ) from None


def failed_day(context: Any) -> date:
    """Return the day that a failed run is about: its own, the last of its range, or when it was due."""
    run = context["dag_run"]
    named = (run.conf or {}).get("to")
    try:
        return date.fromisoformat(named) if named else business_day(run)
    except (TypeError, ValueError, WinbackError):
        due: datetime = run.run_after
        return due.date()
