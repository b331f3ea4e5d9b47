"""Numbers that models and Python share: the vars of the dbt project, which is their one home."""

from functools import cache
from typing import Any

import yaml

from winback.paths import DBT_PROJECT


@cache
def model_vars() -> dict[str, Any]:
    """Return the vars as `dbt_project.yml` has them."""
    project = yaml.safe_load((DBT_PROJECT / "dbt_project.yml").read_text("utf-8"))
    variables: dict[str, Any] = project["vars"]
    return variables
