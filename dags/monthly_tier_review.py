"""### Monthly tier review

Shows region managers, on the 1st, the pyramid of their customers: who rose and fell, how much of the revenue
hangs on how few, what leaves with an account manager, and what more retention would be worth.

**Steps**: `wait_for_marts` until the month's last day is published, or until the review goes out without it:
at its `deadline`, or once it is known that a stopped load or build keeps the day away and `when_stopped` is
`warn`; `send` renders and delivers.
**Connections**: the mail server of `winback.yml`.
**Running it again** sends only what was not sent: a ledger holds each recipient's mail.
"""

from winback.airflow.reports import report_dag

dag = report_dag("monthly_tier_review", "0 8 1 * *", "Monthly tier review", __doc__)
