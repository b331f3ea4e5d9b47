"""### Build warehouse

Turns raw rows into the marts that reports and BI tools read, as of one business day, and tests them.

**Starts** by itself when orders and complaints of the same business day are loaded.
**Steps**: one `dbt build` of seeds (the business rules), models and tests; then the day's pages about data
quality. **Connections**: the warehouse. **Running it again** gives the same rows; a day older than the
published one leaves the marts alone.
"""

from airflow.sdk import PartitionedAssetTimetable, dag, task

from winback.airflow.wiring import COMPLAINTS, MARTS, ORDERS, SETTINGS, business_day
from winback.config import load_settings

settings = load_settings()


@task(outlets=[MARTS])
def build(dag_run=None):
    from winback.build import build_warehouse

    return build_warehouse(settings, business_day(dag_run)).as_dict()


@task
def write_quality_pages(dag_run=None):
    from winback.report.quality_page import write_quality_pages

    return [page.name for page in write_quality_pages(settings, business_day(dag_run), settings.pages.place)]


@dag(
    schedule=PartitionedAssetTimetable(
        assets=ORDERS & COMPLAINTS if "complaints" in settings.feeds else ORDERS
    ),
    doc_md=__doc__,
    dag_display_name="Build warehouse",
    **SETTINGS,
)
def build_warehouse():
    build() >> write_quality_pages()


build_warehouse()
