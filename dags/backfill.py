"""### Backfill

Loads history once more: the rows of a range of business days, month by month, of the feeds that are
named, or of all. Never runs by itself.

**Trigger** it with `from` and `to` (dates that are over) and, if wanted, `feeds`. **Connections**: those
of the systems in `winback.yml`.
**Steps**: one task per feed. **Running it again** after a failure goes on after the last month that was
committed; rows that have not changed are not written. It may run beside the daily load, and does not move
its watermark.
"""

from datetime import date

from airflow.sdk import Param, dag, task

from winback.airflow.wiring import SETTINGS
from winback.config import load_settings

settings = load_settings()
DAY = {"type": "string", "format": "date"}


@task
def choose(params=None):
    from winback.load import chosen_feeds

    return chosen_feeds(settings, params["feeds"])


@task(max_active_tis_per_dagrun=1)
def load_history(feed, params=None):
    from winback.load.backfill import backfill_feed

    first, last = date.fromisoformat(params["from"]), date.fromisoformat(params["to"])
    return backfill_feed(settings, feed, first, last).as_dict()


@dag(
    schedule=None,
    doc_md=__doc__,
    dag_display_name="Backfill",
    params={
        "from": Param(**DAY, description="first business day"),
        "to": Param(**DAY, description="last business day; must be over"),
        "feeds": Param([], type="array", items={"type": "string"}, description="feeds; empty means all"),
    },
    **SETTINGS,
)
def backfill():
    load_history.expand(feed=choose())


backfill()
