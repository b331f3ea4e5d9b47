"""### Load complaints

Waits for the business day's complaints, then checks and commits them.

**Steps**: `wait_for_complaints` ends when the day's files are there or the feed's deadline has passed;
`load_complaints` then loads whatever has come. After a missed deadline the day counts as stale: the
build goes ahead, and every report says so. **Connections**: those of the systems in `winback.yml`.
**Running it again** loads files that came late and ends the staleness; a file is never loaded twice.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from winback.airflow.wiring import COMPLAINTS, SETTINGS, business_day, each_day
from winback.config import load_settings

settings = load_settings()


@task.sensor(mode="reschedule", poke_interval=60, timeout=timedelta(hours=20))
def wait_for_complaints(dag_run=None):
    from winback.load import may_go_ahead

    return may_go_ahead(settings, "complaints", business_day(dag_run))


@task(outlets=[COMPLAINTS])
def load_complaints_of_day(dag_run=None):
    from winback.load import load_feed

    return load_feed(settings, "complaints", business_day(dag_run)).as_dict()


@dag(
    schedule=each_day(settings.schedules.load, settings.business.time_zone),
    doc_md=__doc__,
    dag_display_name="Load complaints",
    **SETTINGS,
)
def load_complaints():
    wait_for_complaints() >> load_complaints_of_day()


if "complaints" in settings.feeds:
    load_complaints()
