"""Alembic's entry: run what is missing, in one transaction, while others wait.

`ensure_schema` hands over the connection; there is no other way in.
"""

from alembic import context
from sqlalchemy import text

_LOCK = 7_246_001  # any number of our own: two processes that upgrade at once take turns

connection = context.config.attributes["connection"]
with connection.begin():
    connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    connection.execute(text("create schema if not exists ops"))
    context.configure(connection=connection, version_table_schema="ops")
    context.run_migrations()
