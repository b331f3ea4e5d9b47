"""Run, through Airflow itself, DAGs of which every task fails, with the defaults that all our DAGs share.

Each try prints how many mails about incidents have gone out before it.
"""

from datetime import timedelta

from airflow.sdk import dag, task

from winback import warehouse
from winback.airflow.wiring import SETTINGS
from winback.errors import WinbackError

DEFAULTS = {**SETTINGS["default_args"], "retries": 1, "retry_delay": timedelta(0)}
SETTINGS = {**SETTINGS, "default_args": DEFAULTS}


def fail(error):
    with warehouse.connect() as connection:
        (mails,) = connection.execute("select count(*) from ops.deliveries").fetchone()
    print(f"mails before this try: {mails}")
    raise error


@task
def load_orders():
    fail(WinbackError("3 of 12 rows are odd.", "winback load orders --day 2026-03-02"))


@task
def load_history(feed):
    fail(KeyError("13812345678"))


@dag(schedule=None, **SETTINGS)
def load_sales():
    load_orders()


@dag(schedule=None, **SETTINGS)
def backfill():
    load_history.expand(feed=["orders", "customers"])


daily, history = load_sales(), backfill()

if __name__ == "__main__":
    for _ in range(2):
        daily.test(run_conf={"business_day": "2026-03-02"})
    history.test(run_conf={"from": "2026-02-01", "to": "2026-02-28"})
