"""### Load sales

Reads the orders and their master data (customers, regions, account managers and whatever else
`winback.yml` names besides complaints) for one business day, checks them, and commits the good rows.

**Steps**: `read_returned_contacts`, where there are win-back tasks, takes what came of them out of the
workbooks that came back, whose wrong cells `task_reply` answers; master data, then `orders`, then what waits
for orders, such as their lines; the last of these tells `build_warehouse` that the day is complete, also when
nothing was sold. A check that stops a batch ends the run before that. **Connections**: those of the systems
in `winback.yml`. **Running it again** changes nothing: unchanged rows are not written, late ones are added.
Trigger a past day with its date as partition key.
"""

from airflow.sdk import chain, dag, task

from winback.airflow.wiring import ORDERS, RETURNED, SETTINGS, business_day, each_day
from winback.check.suites import in_load_order
from winback.config import load_settings

settings = load_settings()


@task
def load(feed, dag_run=None):
    from winback.load import load_feed

    return load_feed(settings, feed, business_day(dag_run)).as_dict()


@task(outlets=[RETURNED])
def read_returned_contacts():
    from winback.tasks.returned import read_returned

    return read_returned(settings)


@dag(
    schedule=each_day(settings.schedules.load, settings.business.time_zone),
    doc_md=__doc__,
    dag_display_name="Load sales",
    **SETTINGS,
)
def load_sales():
    feeds = in_load_order(settings, [feed for feed in settings.feeds if feed != "complaints"])
    master_data, sales = feeds[: feeds.index("orders")], feeds[feeds.index("orders") :]
    steps = [load.override(task_id=f"load_{feed}")(feed) for feed in sales[:-1]]
    steps.append(load.override(task_id=f"load_{sales[-1]}", outlets=[ORDERS])(sales[-1]))
    before = [read_returned_contacts()] if settings.tasks else []
    chain(*before, [load.override(task_id=f"load_{feed}")(feed) for feed in master_data], *steps)


load_sales()
