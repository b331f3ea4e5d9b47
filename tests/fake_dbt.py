"""A build whose dbt is a stand-in, quick, and stopped at any step.

As a module it builds one day and waits at a step, to be killed there.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg

from winback import bi_reader, build, warehouse
from winback.config import load_settings

TABLES = ("customer_months", "dim_account_manager", "dim_customer", "dim_customer_contact", "fct_orders")
# The steps of a build, in their order; at `exchange` the copies are renamed, but nothing is committed yet.
STEPS = (*TABLES, "tests", "exchange")
MADE_ANEW = (
    "create table {schema}.{table} as select '{day}'::date as as_of, 'name' as name, 'a@b.cn' as email"
)


@dataclass
class FakeDbt:
    """Stands in for `run_dbt`: each mart says of which day it is; `reach` is told every step."""

    reach: Callable[[str], None]

    def install(self, set_attribute: Callable[[Any, str, Any], None]) -> None:
        """Take the place of dbt, and look into the exchange."""
        let_in = bi_reader.let_in

        def look_in(*arguments: Any) -> None:
            let_in(*arguments)
            self.reach("exchange")

        set_attribute(build, "run_dbt", self)
        set_attribute(build, "mart_names", lambda: TABLES)
        set_attribute(build, "score_all", lambda *_: None)
        set_attribute(bi_reader, "let_in", look_in)

    def __call__(self, _: Any, as_of_date: date, *command: str, marts: str, **__: Any) -> None:
        if "marts" not in command or "--exclude" in command:
            return
        with warehouse.connect(autocommit=True) as connection:
            for table in TABLES:
                self.reach(table)
                if table == "customer_months":
                    self._go_on(connection, marts, as_of_date)
                else:
                    connection.execute(f"drop table if exists {marts}.{table} cascade")
                    connection.execute(MADE_ANEW.format(schema=marts, table=table, day=as_of_date))
        self.reach("tests")

    def _go_on(self, connection: psycopg.Connection[Any], marts: str, day: date) -> None:
        """Build the one incremental mart: a row for every build that this copy has seen."""
        connection.execute(f"create table if not exists {marts}.customer_months (as_of date, builds integer)")
        connection.execute(
            f"insert into {marts}.customer_months select null, count(*) from {marts}.customer_months"
        )
        connection.execute(f"update {marts}.customer_months set as_of = %s", [day])


def _stop_at(step: str) -> Callable[[str], None]:
    def reach(reached: str) -> None:
        if reached == step:
            print(reached, flush=True)
            sys.stdin.read()  # until it is killed

    return reach


if __name__ == "__main__":
    config, day, last_step = sys.argv[1:]
    reach = _stop_at(last_step)
    FakeDbt(reach).install(setattr)
    build.build_warehouse(load_settings(Path(config)), date.fromisoformat(day))
    reach("published")
