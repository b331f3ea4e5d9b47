"""The lists that may leave (`reports/exports/lists.yml`), and the columns that each has."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from winback import paths
from winback.config_types import Strict

FOLDER = paths.REPORTS / "exports"

# What every list has of a customer, as SQL on the tables that `rows.py` joins.
COMMON = {
    "customer_key": "dim_customer.customer_key",
    "customer_id": "dim_customer.customer_id",
    "business_line": "dim_customer.business_line",
    "region": "dim_region.name",
    "account_manager": "dim_account_manager.name",
    "stage": "dim_customer.stage",
    "value_tier": "dim_customer.value_tier",
    "value_12m": "dim_customer.value_12m",
    "last_order_on": "dim_customer.last_order_on",
}
# Only for a target that says so.
PERSONAL = {
    "name": "dim_customer_contact.name",
    "phone": "dim_customer_contact.phone",
    "email": "dim_customer_contact.email",
}


class ExportList(Strict):
    """A list: the query that picks its customers, which arms of a trial it spares, and its own columns.

    One that `is_personal` tells of a customer what contact details do, whatever is taken of it.
    """

    query: Path
    spared_arms: tuple[Literal["treated", "control"], ...]
    columns: tuple[str, ...]
    is_personal: bool = False
    parameters: Mapping[str, int] = {}

    @property
    def allowed(self) -> tuple[str, ...]:
        """Return every column that a target may name."""
        return (*COMMON, *PERSONAL, *self.columns)

    def expression(self, column: str) -> str:
        """Return a column as SQL."""
        return COMMON.get(column) or PERSONAL.get(column) or f"listed.{column}"

    def read_query(self) -> str:
        """Return the SQL that picks the customers."""
        return (paths.REPORTS / self.query).read_text(encoding="utf-8")


@cache
def export_lists() -> Mapping[str, ExportList]:
    """Return all lists by name."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "lists.yml").read_text(encoding="utf-8"))
    return {name: ExportList.model_validate(said) for name, said in found.items()}
