"""What `winback.yml` says of lists that leave for other tools: which list, where to, which columns."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from winback.config_types import Duration, Language, Name, ScopeConfig, Strict
from winback.export.lists import PERSONAL, export_lists


class Webhook(Strict):
    """An HTTP service that takes a list in requests of at most `batch_size` customers.

    The connection's URL carries host and secret: `https://:TOKEN@host/path`.
    """

    connection: Name
    token_header: Annotated[str, Field(examples=["X-Api-Key"])] = "Authorization"
    batch_size: Annotated[int, Field(ge=1, examples=[500])] = 500
    timeout: Duration = timedelta(seconds=30)
    attempts: Annotated[int, Field(ge=1, le=20, examples=[6])] = 6

    @model_validator(mode="before")
    @classmethod
    def _plain_name_is_a_connection(cls, value: Any) -> Any:
        return {"connection": value} if isinstance(value, str) else value


class ExportTarget(Strict):
    """Where a list goes: into a folder as CSV or as a workbook, or to an HTTP service."""

    csv: Annotated[Path | None, Field(examples=["/srv/crm/in"])] = None
    xlsx: Annotated[Path | None, Field(examples=["/srv/crm/in"])] = None
    webhook: Annotated[Webhook | None, Field(examples=["sms_tool"])] = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if sum(way is not None for way in (self.csv, self.xlsx, self.webhook)) != 1:
            raise ValueError("give exactly one of: csv, xlsx, webhook")
        return self

    def __str__(self) -> str:
        """Return the place, without any secret."""
        if self.webhook is not None:
            return f"webhook {self.webhook.connection}"
        return f"csv {self.csv}" if self.csv else f"xlsx {self.xlsx}"


class ExportConfig(Strict):
    """One list for one tool, which gets the columns named and no other.

    `columns` are names, or names with what the tool calls them. Contact details, and a
    list that tells birthdays, need `personal: true`.
    """

    list: Annotated[str, Field(examples=["call_list"])]
    to: Annotated[ExportTarget, Field(examples=[{"csv": "/srv/crm/in"}])]
    columns: Annotated[dict[str, str], Field(min_length=1, examples=[["customer_id", "reason"]])]
    personal: bool = False
    language: Language = "zh"
    scope: Annotated[ScopeConfig, Field(examples=["everything"])] = ScopeConfig(everything=True)

    @model_validator(mode="before")
    @classmethod
    def _a_column_is_called_by_its_name(cls, value: Any) -> Any:
        if not isinstance(value, dict) or not isinstance(columns := value.get("columns"), list | tuple):
            return value
        if len(set(map(str, columns))) < len(columns):
            raise ValueError("columns: one is named twice")
        return {**value, "columns": {column: column for column in columns}}

    @model_validator(mode="after")
    def _only_what_the_list_has_and_the_tool_may_get(self) -> Self:
        lists = export_lists()
        if self.list not in lists:
            raise ValueError(f"list: no such list {self.list}; allowed: {', '.join(sorted(lists))}")
        allowed = lists[self.list].allowed
        if unknown := [column for column in self.columns if column not in allowed]:
            raise ValueError(
                f"columns: {self.list} has no {', '.join(unknown)}; allowed: {', '.join(allowed)}"
            )
        if not self.personal and (closed := [column for column in self.columns if column in PERSONAL]):
            raise ValueError(
                f"columns: {', '.join(closed)} tell who somebody is;"
                " add personal: true if the tool may know, or leave them out"
            )
        if not self.personal and lists[self.list].is_personal:
            raise ValueError(
                f"list: {self.list} tells birthdays; add personal: true if the tool may know, or leave it out"
            )
        if len(set(self.columns.values())) < len(self.columns):
            raise ValueError("columns: two are called the same")
        return self
