"""### Exports

Lets the lists of `exports` in `winback.yml` leave for CRM and SMS tools.

**Starts** by itself when marts are published. **Steps**: `run`, once for each export, draws its list up
and hands it over. **Connections**: the warehouse; the webhooks that exports name.
**Running it again** sends nothing that left: a ledger (`ops.exports`) holds each list of each day, and what
is missing of one goes under the same idempotency keys.
"""

from airflow.sdk import PartitionedAssetTimetable, dag, task

from winback.airflow.wiring import MARTS, SETTINGS, business_day
from winback.config import load_settings

settings = load_settings()


@task
def run(name, dag_run=None):
    from winback.export.run import run_export

    return run_export(settings, name, business_day(dag_run))


@dag(
    schedule=PartitionedAssetTimetable(assets=MARTS),
    doc_md=__doc__,
    dag_display_name="Exports",
    **SETTINGS,
)
def exports():
    run.expand(name=sorted(settings.exports))


exports()
