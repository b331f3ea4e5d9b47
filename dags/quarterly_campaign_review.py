"""### Quarterly campaign review

Shows management, on the 1st after each quarter, what win-back campaigns brought: how many came back,
against the target and against those left alone, what that was worth and cost; and whether owners of tasks
said in time what came of them.

**Steps**: `wait_for_marts` until the quarter's last day is published, or until the review goes out without
it: at its `deadline`, or once it is known that a stopped load or build keeps the day away and
`when_stopped` is `warn`; `send` renders and delivers.
**Connections**: the mail server of `winback.yml`.
**Running it again** sends only what was not sent: a ledger holds each recipient's mail.
"""

from winback.airflow.reports import report_dag

dag = report_dag("quarterly_campaign_review", "30 8 1 1,4,7,10 *", "Quarterly campaign review", __doc__)
