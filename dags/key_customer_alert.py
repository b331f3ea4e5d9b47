"""### Key customer alert

Tells account managers and those above them, in the morning, which of their key customers are newly at risk or
lost, and which complaints of theirs wait past their time. Whoever has nothing to be told gets no mail.

**Steps**: `wait_for_marts` until the day before is published, or until the alert goes out without it: at its
`deadline`, or once it is known that a stopped load or build keeps the day away and `when_stopped` is `warn`;
`send` renders and delivers.
**Connections**: the mail server of `winback.yml`.
**Running it again** sends only what was not sent: a ledger holds each recipient's mail.
"""

from winback.airflow.reports import report_dag

dag = report_dag("key_customer_alert", "30 7 * * *", "Key customer alert", __doc__)
