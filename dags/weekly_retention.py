"""### Weekly retention report

Sends every manager one e-mail about their own customers: who is leaving, why, what it costs, and whom
to call first. A run on a Monday reports the week that ended the day before.

**Steps**: `wait_for_marts` until the week's last day is published, or until it is known that a stopped load
or build keeps it from that and `when_stopped` is `warn`; `send` renders and delivers.
**Connections**: the mail server of `winback.yml`.
**Running it again** sends only what was not sent: a ledger holds each recipient's mail.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from winback.airflow.wiring import SETTINGS, business_day, on_issue
from winback.config import load_settings

settings = load_settings()


@task.sensor(mode="reschedule", poke_interval=60, timeout=timedelta(hours=20))
def wait_for_marts(dag_run=None):
    from winback.report.weekly import is_ready

    return is_ready(settings, issued_on=business_day(dag_run))


@task
def send(dag_run=None):
    from winback.report.weekly import send_weekly_retention

    return send_weekly_retention(settings, issued_on=business_day(dag_run))


@dag(
    schedule=on_issue(settings.schedules.weekly_retention, settings.business.time_zone),
    doc_md=__doc__,
    dag_display_name="Weekly retention report",
    **SETTINGS,
)
def weekly_retention():
    wait_for_marts() >> send()


weekly_retention()
