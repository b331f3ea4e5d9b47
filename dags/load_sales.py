"""### Load sales

Reads the orders and their master data (customers, regions, account managers and whatever else
`winback.yml` names besides complaints) for one business day, checks them, and commits the good rows.

**Steps**: master data, then `orders`, whose end tells `build_warehouse` that the day is complete, also
when nothing was sold. **Connections**: those of the systems in `winback.yml`.
**Running it again** changes nothing: unchanged rows are not written, late ones are added.
Trigger a past day with its date as partition key.
"""

from airflow.sdk import dag, task

from winback.airflow.wiring import ORDERS, SETTINGS, business_day, each_day
from winback.config import load_settings

settings = load_settings()


@task
def load(feed, dag_run=None):
    from winback.load import load_feed

    return load_feed(settings, feed, business_day(dag_run)).as_dict()


@dag(
    schedule=each_day(settings.schedules.load, settings.business.time_zone),
    doc_md=__doc__,
    dag_display_name="Load sales",
    **SETTINGS,
)
def load_sales():
    orders = load.override(task_id="load_orders", outlets=[ORDERS])("orders")
    for feed in settings.feeds:
        if feed not in ("orders", "complaints"):
            load.override(task_id=f"load_{feed}")(feed) >> orders


load_sales()
