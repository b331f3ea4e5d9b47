"""The DAG of a report: wait for its days, then send it. The DAG's own file says which report, and when."""

from datetime import date, timedelta
from typing import Any

from airflow.sdk import DAG, task

from winback.airflow.wiring import SETTINGS, business_day, on_issue
from winback.config import ReportConfig, load_settings

# How long an issue is waited for; the longest days off in a row are those around the new year.
_TIMEOUTS = {"send": timedelta(hours=20), "wait": timedelta(days=16)}


def report_dag(name: str, schedule: str, title: str, doc: str | None, *, carries_tasks: bool = False) -> DAG:
    """Return a report's DAG; `schedule` is a cron line that `reports.<name>.schedule` may replace.

    With `carries_tasks` win-back tasks are made before it goes out. A run's partition key is the day of
    issue: the report speaks of what was over the day before.
    """
    settings = load_settings()
    timeout = _TIMEOUTS[settings.reports.get(name, ReportConfig()).on_days_off].total_seconds()

    @task.sensor(mode="reschedule", poke_interval=60, timeout=timeout)
    def wait_for_marts(dag_run: Any = None) -> bool:
        from winback.report.issue import is_ready  # noqa: PLC0415 -- DAG files parse without it

        return is_ready(settings, name, _as_of(dag_run))

    @task
    def create_tasks(dag_run: Any = None) -> dict[str, int]:
        from winback.tasks.create import create_tasks as create  # noqa: PLC0415 -- as above

        return create(settings, _as_of(dag_run))

    @task
    def send(dag_run: Any = None) -> dict[str, int]:
        from winback.report.issue import send_issue  # noqa: PLC0415 -- as above

        return send_issue(settings, name, _as_of(dag_run))

    with DAG(
        name,
        schedule=on_issue(settings.report_schedule(name, schedule), settings.business.time_zone),
        doc_md=doc,
        dag_display_name=title,
        **SETTINGS,
    ) as dag:
        marts = wait_for_marts()
        (marts >> create_tasks() if carries_tasks else marts) >> send()
    return dag


def _as_of(dag_run: Any) -> date:
    return business_day(dag_run) - timedelta(days=1)
