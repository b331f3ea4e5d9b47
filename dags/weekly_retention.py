"""### Weekly retention report

Sends every manager one e-mail about their own customers: who is leaving, why, what it costs, and whom
to call first. A run on a Monday reports the week that ended the day before.

**Steps**: `wait_for_marts` until the week's last day is published, or until the report goes out without it:
at its `deadline`, or once it is known that a stopped load or build keeps the day away and `when_stopped` is
`warn`; `create_tasks` says who is to be called by when, and finds new owners for tasks whose owner is gone;
`send` renders and delivers.
**Connections**: the mail server of `winback.yml`.
**Running it again** makes no task twice and sends only what was not sent: a ledger holds each recipient's
mail.
"""

from winback.airflow.reports import report_dag

dag = report_dag("weekly_retention", "0 8 * * 1", "Weekly retention report", __doc__, carries_tasks=True)
