"""### Task reply

Tells whoever sent a workbook of win-back tasks which of its cells could not be taken.

**Starts** by itself when `load_sales` has read the workbooks that came back. **Steps**: `reply` mails what
`read_returned_contacts` announced. **Connections**: the mail server of `mail.connection`; the warehouse.
**Running it again** sends nothing that has arrived: one mail for each workbook and account manager, in the
ledger `ops.deliveries`. What was refused is tried again.
"""

from airflow.sdk import PartitionedAssetTimetable, dag, task

from winback.airflow.wiring import RETURNED, SETTINGS
from winback.config import load_settings

settings = load_settings()


@task
def reply():
    from winback.tasks.returned import reply_to_returned

    return reply_to_returned(settings)


@dag(
    schedule=PartitionedAssetTimetable(assets=RETURNED),
    doc_md=__doc__,
    dag_display_name="Task reply",
    **SETTINGS,
)
def task_reply():
    reply()


if settings.tasks:
    task_reply()
