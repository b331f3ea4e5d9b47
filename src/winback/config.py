"""`winback.yml`: the deployment's configuration, read once and validated.

The file says where data comes from, how its columns map to the feeds, who receives which report,
and when things run. Business rules live in `dbt_project/seeds`, secrets in the environment.
"""

import difflib
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import BaseModel, Field, ModelWrapValidatorHandler, ValidationError, model_validator

from winback import paths
from winback.config_checks import AddedRule, BatchChecks, Checks, FeedChecks
from winback.config_exports import ExportConfig
from winback.config_types import (
    DailyTime,
    Domain,
    Duration,
    Holidays,
    Language,
    Name,
    Role,
    Schedule,
    ScopeConfig,
    Strict,
    TimeZone,
)
from winback.errors import WinbackError
from winback.feeds import FEEDS, Feed

# The system that answers to win-back tasks are contacts of, and the columns that they fill.
ANSWERS = "winback_tasks"
ANSWER_COLUMNS = (
    "contact_id",
    "customer_source_id",
    "customer_id",
    "contacted_at",
    "account_manager_id",
    "campaign_id",
    "task_id",
    "channel",
    "outcome",
    "reason_code",
    "competitor",
    "note",
)


class Company(Strict):
    """What the reports call the company."""

    name_en: Annotated[str, Field(examples=["Example Retail"])]
    name_zh: Annotated[str, Field(examples=["示例零售"])]


# A key of customers.attributes; it becomes part of a query.
Attribute = Annotated[str, Field(pattern=r"^\w+$", examples=["car_model"])]
# What churn_breakdown knows of every customer.
_TRAITS = frozenset(
    ("value_tier", "region", "relationship_age", "product_category", "channel", "account_manager", "reason")
)


class Business(Strict):
    """How the business counts: its day, its money, its lines."""

    time_zone: TimeZone = "Asia/Shanghai"
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["CNY"])] = "CNY"
    tax: Annotated[Literal["included", "excluded", "not_stated"], Field(examples=["included"])] = "not_stated"
    holidays: Holidays = "CN"
    opens_at: DailyTime = "09:00"
    closes_at: DailyTime = "18:00"
    default_business_line: Annotated[str, Field(examples=["retail"])] = "retail"
    lines: Annotated[dict[str, str], Field(examples=[{"retail": "retail"}])] = {"retail": "retail"}
    attributes: Annotated[tuple[Attribute, ...], Field(examples=[["car_model"]])] = ()

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens_at >= self.closes_at:
            raise ValueError(f"closes_at {self.closes_at} is no later than opens_at {self.opens_at}")
        return self

    @model_validator(mode="after")
    def _names_are_not_taken(self) -> Self:
        if "all" in self.lines:
            raise ValueError("lines: 'all' stands for all of them together; name the line otherwise")
        if taken := _TRAITS.intersection(self.attributes):
            raise ValueError(
                f"attributes: churn is broken down by {', '.join(sorted(taken))} anyway;"
                " leave it out, or deliver it under another name"
            )
        return self

    @model_validator(mode="after")
    def _default_line_is_known(self) -> Self:
        if self.default_business_line not in self.lines:
            raise ValueError(
                f"default_business_line {self.default_business_line!r} is not among lines: "
                + ", ".join(sorted(self.lines))
            )
        return self


class PostgresSystem(Strict):
    """A PostgreSQL database that feeds are read from."""

    connector: Literal["postgres"]
    connection: Name
    time_zone: TimeZone


class MySqlSystem(Strict):
    """A MySQL or MariaDB database that feeds are read from."""

    connector: Literal["mysql"]
    connection: Name
    time_zone: TimeZone


class SqlAlchemySystem(Strict):
    """Any other database that SQLAlchemy has a dialect for; its driver is the user's to install.

    Tested with PostgreSQL and SQLite only.
    """

    connector: Literal["sqlalchemy"]
    connection: Name
    time_zone: TimeZone


class FileSystem(Strict):
    """A folder that a system drops files into."""

    connector: Literal["files"]
    folder: Annotated[Path, Field(examples=["/srv/exports"])]
    time_zone: TimeZone


class RestSystem(Strict):
    """An HTTP service that answers in JSON, such as a ticket system.

    The connection's URL carries host and secret: `https://user:password@host/path` for basic authentication,
    or `https://:TOKEN@host/path` for a bearer token, or a token in the header that `token_header` names.
    """

    connector: Literal["rest"]
    connection: Name
    time_zone: TimeZone
    token_header: Annotated[str, Field(examples=["X-Api-Key"])] = "Authorization"
    timeout: Duration = timedelta(seconds=60)
    attempts: Annotated[int, Field(ge=1, le=20, examples=[6])] = 6


DatabaseSystem = PostgresSystem | MySqlSystem | SqlAlchemySystem
System = Annotated[
    PostgresSystem | MySqlSystem | SqlAlchemySystem | FileSystem | RestSystem,
    Field(discriminator="connector"),
]


class ColumnMapping(Strict):
    """Where one canonical column comes from: a source column or a constant, and how to read it.

    `format` is the one strptime format of a date or moment, or several that are tried in turn. `decimal`
    states the decimal sign of numbers where it is a comma (1.234,50).
    """

    column: Annotated[str | None, Field(examples=["下单时间"])] = None
    constant: Annotated[str | None, Field(examples=["erp"])] = None
    codes: Annotated[dict[str, str], Field(examples=[{"S": "settled"}])] = {}
    format: Annotated[str | tuple[str, ...] | None, Field(examples=["%Y/%m/%d %H:%M"])] = None
    decimal: Annotated[Literal[".", ","], Field(examples=[","])] = "."

    @property
    def formats(self) -> tuple[str, ...]:
        """Return the stated formats, none if the usual ones are to be tried."""
        return (self.format,) if isinstance(self.format, str) else (self.format or ())

    @model_validator(mode="before")
    @classmethod
    def _plain_name_is_a_column(cls, value: Any) -> Any:
        return {"column": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.column is None) == (self.constant is None):
            raise ValueError("give either a column or a constant")
        return self


class DeletesByColumn(Strict):
    """Deleted rows stay at the source, marked in a column."""

    column: Annotated[str, Field(examples=["is_deleted"])]
    values: Annotated[tuple[str, ...], Field(min_length=1, examples=[["1", "Y"]])]


class DeletesByKeys(Strict):
    """Deleted rows vanish: after each load all keys of the source are compared with those of the warehouse.

    More than `at_most` of the live rows at once is no deletion but a broken source, and is refused.
    """

    missing_keys: Literal[True]
    at_most: Annotated[float, Field(ge=0, le=1, examples=[0.05])] = 0.05


class SchemaDrift(Strict):
    """What to do when a source's columns are not those of its last load."""

    column_gone: Annotated[Literal["refuse", "accept"], Field(examples=["refuse"])] = "refuse"
    type_changed: Annotated[Literal["refuse", "accept"], Field(examples=["refuse"])] = "refuse"
    column_new: Annotated[Literal["refuse", "accept"], Field(examples=["accept"])] = "accept"


class Endpoint(Strict):
    """Which records of an HTTP service: where they are asked for and stand in an answer, how it pages.

    `records`, `next_url`, `next_cursor` and `end` are dotted paths into an answer; `records: .` is an answer
    that is the list itself. Without any way of paging the answer's Link header is followed. On a first load
    `since` is what `parameters` say, else the epoch's start, or nothing in ISO form.
    """

    path: Annotated[str, Field(examples=["/api/v2/incremental/tickets/cursor.json"])]
    records: Annotated[str, Field(examples=["tickets"])]
    parameters: Annotated[dict[str, str], Field(examples=[{"per_page": "500"}])] = {}
    since: Annotated[str | None, Field(examples=["start_time"])] = None
    since_format: Annotated[Literal["epoch", "iso"], Field(examples=["epoch"])] = "iso"
    next_url: Annotated[str | None, Field(examples=["after_url"])] = None
    next_cursor: Annotated[str | None, Field(examples=["meta.after_cursor"])] = None
    cursor_parameter: Annotated[str | None, Field(examples=["page[after]"])] = None
    page_parameter: Annotated[str | None, Field(examples=["page"])] = None
    end: Annotated[str | None, Field(examples=["end_of_stream"])] = None

    @model_validator(mode="after")
    def _pages_one_way(self) -> Self:
        if sum(way is not None for way in (self.next_url, self.next_cursor, self.page_parameter)) > 1:
            raise ValueError("give one of: next_url, next_cursor, page_parameter")
        if (self.next_cursor is None) != (self.cursor_parameter is None):
            raise ValueError("next_cursor and cursor_parameter belong together")
        return self


class FeedSource(Strict):
    """One source of a feed: which rows of which system, and how they map to the feed."""

    source: Name
    table: Annotated[str | None, Field(examples=["sales.orders"])] = None
    query: Annotated[str | None, Field(examples=["select order_no as order_id, ... from sales.orders"])] = (
        None
    )
    files: Annotated[
        str | dict[str, str] | None,
        Field(examples=["complaints_%Y-%m-%d.csv"]),
    ] = None
    endpoint: Annotated[Endpoint | None, Field(examples=[{"path": "/tickets", "records": "tickets"}])] = None
    encoding: Annotated[str | None, Field(examples=["gb18030"])] = None
    delimiter: Annotated[str | None, Field(min_length=1, max_length=1, examples=[","])] = None
    sheet: Annotated[str | None, Field(examples=["订单"])] = None
    header_line: Annotated[int, Field(ge=1, examples=[3])] = 1
    null_values: Annotated[tuple[str, ...], Field(examples=[["NA", "NULL"]])] = ()
    columns: Annotated[dict[str, ColumnMapping], Field(examples=[{"order_id": "订单编号"}])]
    attributes: Annotated[Literal["unmapped"] | None, Field(examples=["unmapped"])] = None
    cursor: Annotated[str | None, Field(examples=["updated_at"])] = None
    lookback: Duration = timedelta(days=1)
    deletes: Annotated[
        DeletesByColumn | DeletesByKeys | None, Field(examples=[{"column": "is_deleted", "values": ["1"]}])
    ] = None
    drift: SchemaDrift = SchemaDrift()

    @property
    def is_daily(self) -> bool:
        """Tell whether a batch brings the rows of its business day.

        Other sources are read whole each time, or send several files a day.
        """
        patterns = list(self.files.values()) if isinstance(self.files, dict) else [self.files or ""]
        is_dated = any("%" in pattern for pattern in patterns)
        has_parts = any(part in pattern for pattern in patterns for part in ("*", "?", "%H", "%M"))
        return self.cursor is not None or (is_dated and not has_parts)

    @model_validator(mode="after")
    def _knows_its_rows(self) -> Self:
        origins = [self.table, self.files, self.endpoint]
        if sum(origin is not None for origin in origins) + (not any(origins) and self.query is not None) != 1:
            raise ValueError("give one of: table, query, files, endpoint")
        if self.table is not None and self.query is not None:
            raise ValueError("give either a table or a query")
        if isinstance(self.files, dict) and self.query is None:
            raise ValueError("several files need a query that joins them")
        if self.cursor is not None and self.cursor not in self.columns:
            raise ValueError(f"cursor {self.cursor!r} is not among the mapped columns")
        return self


class FeedConfig(Strict):
    """A feed of this deployment: its sources, and whether a build waits for it."""

    sources: Annotated[tuple[FeedSource, ...], Field(min_length=1)]
    wait: Annotated[bool, Field(examples=[True])] = False
    deadline: DailyTime | None = None
    checks: FeedChecks = FeedChecks()

    @model_validator(mode="after")
    def _deadline_belongs_to_wait(self) -> Self:
        if self.deadline is not None and not self.wait:
            raise ValueError("a deadline needs wait: true")
        names = [source.source for source in self.sources]
        if len(set(names)) < len(names):
            raise ValueError("a system appears twice: one feed takes one source per system")
        return self


class RecipientConfig(Strict):
    """One person who receives a report."""

    address: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", examples=["lin@example.com"])]
    name: Annotated[str, Field(examples=["林经理"])]
    language: Language = "zh"
    scope: Annotated[ScopeConfig, Field(examples=["everything"])]


class ReportConfig(Strict):
    """Who receives a report; `account_managers` adds everyone of that feed who has not left.

    `superiors` adds those to whom they report as well, for the customers of all below them.

    `schedule` is a cron line in place of the one that the report's DAG brings; `by_hand` means never by
    itself.

    A report waits until its days are published, at the latest until `deadline` on its day of issue: then it
    goes out with a plain warning about the last days that are. `when_stopped` says what becomes of it before,
    when it is known that a check stopped a batch: held back, or sent with that warning at once. If the day of
    issue is no working day, `on_days_off` has it sent all the same, or wait for the next one that is.
    """

    recipients: tuple[RecipientConfig, ...] = ()
    account_managers: Annotated[Language | None, Field(examples=["zh"])] = None
    superiors: bool = False
    schedule: Schedule | None = None
    deadline: DailyTime | None = None
    when_stopped: Annotated[Literal["hold", "warn"], Field(examples=["warn"])] = "hold"
    on_days_off: Annotated[Literal["send", "wait"], Field(examples=["wait"])] = "send"


class Bot(Strict):
    """A robot of a group chat: it posts the headline of `reports`, about a scope like a recipient's.

    The connection's URL is the robot's webhook; the secret that it signs with follows after a `#`.
    """

    service: Annotated[Literal["dingtalk", "wecom", "feishu"], Field(examples=["dingtalk"])]
    connection: Name
    reports: Annotated[tuple[Name, ...], Field(min_length=1, examples=[["weekly_retention"]])]
    language: Language = "zh"
    scope: Annotated[ScopeConfig, Field(examples=["everything"])]


class Mail(Strict):
    """How mail leaves: the connection's URL carries server, port and credentials.

    Nothing goes to a domain that is not among `recipient_domains`; without any, every domain may get mail.
    Every mail is kept in `archive` as it was sent. One larger than `max_bytes` goes without its attachments,
    and says where in the archive they lie: by `archive_url`, if readers find the folder there.
    """

    connection: Name = "smtp"
    sender: Annotated[str, Field(examples=["Winback <winback@example.com>"])] = "Winback <winback@localhost>"
    recipient_domains: Annotated[tuple[Domain, ...], Field(examples=[["example.com"]])] = ()
    archive: Annotated[Path | None, Field(examples=["/srv/winback/archive"])] = None
    archive_url: Annotated[str | None, Field(examples=["https://winback.example.com/archive"])] = None
    max_bytes: Annotated[int, Field(ge=100_000, examples=[10_000_000])] = 10_000_000
    timeout: Duration = timedelta(seconds=60)

    @property
    def archive_place(self) -> Path:
        """Return the folder; below the state folder, unless one is named."""
        return self.archive or paths.state_dir() / "archive"


class Pages(Strict):
    """Where the daily pages about data quality are written, and under which address readers find them."""

    folder: Annotated[Path | None, Field(examples=["/srv/winback/quality"])] = None
    url: Annotated[str | None, Field(examples=["https://winback.example.com/quality"])] = None

    @property
    def place(self) -> Path:
        """Return the folder; below the state folder, unless one is named."""
        return self.folder or paths.state_dir() / "quality"


class Bi(Strict):
    """Who reads what in the warehouse besides what everybody may who reads the marts."""

    contact_readers: Annotated[tuple[Role, ...], Field(examples=[["crm_export"]])] = ()


class Schedules(Strict):
    """When data are loaded, in the business time zone; `by_hand` means never by itself."""

    load: Schedule = "0 2 * * *"


class Forecasts(Strict):
    """When what customers will buy is fitted anew, on how many last days it is tried, what a fit needs."""

    refit_after: Duration = timedelta(days=28)
    holdout: Duration = timedelta(days=91)
    # Where so few come back, how often they do cannot be told from chance.
    min_repeat_share: Annotated[float, Field(ge=0, le=1, examples=[0.05])] = 0.05
    # Chi-square with the 2 degrees of freedom of dropout: a chance of 1 %.
    min_likelihood_ratio: Annotated[float, Field(ge=0, examples=[9.21])] = 9.21


class Campaigns(Strict):
    """How people are asked about the lists of win-back campaigns: when, in which language, how many rows."""

    language: Language = "zh"
    propose_before: Duration = timedelta(days=3)
    answer_within: Duration = timedelta(days=3)
    rows_shown: Annotated[int, Field(ge=1, le=100, examples=[10])] = 10


class Tasks(Strict):
    """Win-back tasks: when they are due, whom they spare, and where filled-in workbooks come back.

    They are signed with the secret WINBACK_TASKS_SECRET.
    """

    due_after: Duration = timedelta(days=7)
    returned: Annotated[Path | None, Field(examples=["/srv/winback/returned"])] = None

    @property
    def place(self) -> Path:
        """Return the folder that workbooks come back to; below the state folder, unless one is named."""
        return self.returned or paths.state_dir() / "returned"

    @property
    def accepted(self) -> Path:
        """Return the folder of the files that the feed `contacts` reads."""
        return self.place / "accepted"


class Settings(Strict):
    """The whole of `winback.yml`."""

    company: Company
    business: Business = Business()
    systems: Annotated[dict[Name, System], Field(min_length=1)]
    feeds: Annotated[dict[str, FeedConfig], Field(examples=[sorted(FEEDS)])]
    checks: Checks = Checks()
    mail: Mail = Mail()
    reports: dict[str, ReportConfig] = {}
    bots: dict[Name, Bot] = {}
    pages: Pages = Pages()
    bi: Bi = Bi()
    schedules: Schedules = Schedules()
    forecasts: Forecasts = Forecasts()
    campaigns: Campaigns = Campaigns()
    tasks: Tasks | None = None
    exports: dict[Name, ExportConfig] = {}

    @model_validator(mode="wrap")
    @classmethod
    def _answers_are_contacts(cls, data: Any, read: ModelWrapValidatorHandler[Self]) -> Self:
        """Add what workbooks bring back to the contacts of other systems."""
        settings = read(data)
        if settings.tasks is None or ANSWERS in settings.systems:
            return settings
        zone = settings.business.time_zone
        system = FileSystem(connector="files", folder=settings.tasks.accepted, time_zone=zone)
        own = FeedSource.model_validate(
            {
                "source": ANSWERS,
                "files": "contacts_*.csv",
                "encoding": "utf-8",
                "columns": {name: name for name in ANSWER_COLUMNS},
            }
        )
        contacts = settings.feeds.get("contacts")
        sources = (*contacts.sources, own) if contacts else (own,)
        feed = (contacts or FeedConfig(sources=sources)).model_copy(update={"sources": sources})
        return settings.model_copy(
            update={
                "systems": {**settings.systems, ANSWERS: system},
                "feeds": {**settings.feeds, "contacts": feed},
            }
        )

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if "orders" not in self.feeds:
            raise ValueError("feeds: orders is missing; it is the one feed that Winback cannot do without")
        for feed_name, feed in self.feeds.items():
            where = f"feeds.{feed_name}"
            if feed_name not in FEEDS:
                raise ValueError(f"{where}: no such feed{_did_you_mean(feed_name, FEEDS)}")
            for name, rule in feed.checks.rules.items():
                _check_added_rule(f"{where}.checks.rules.{name}", FEEDS[feed_name], name, rule)
            for source in feed.sources:
                self._check_source(where, feed_name, source)
        return self

    @model_validator(mode="after")
    def _recipients_are_allowed(self) -> Self:
        allowed = self.mail.recipient_domains
        for name, report in self.reports.items():
            for place, person in enumerate(report.recipients):
                domain = person.address.rpartition("@")[2].lower()
                if allowed and domain not in allowed:
                    raise ValueError(
                        f"reports.{name}.recipients.{place}.address: {domain} is not among"
                        f" mail.recipient_domains: {', '.join(allowed)}"
                    )
        return self

    def _check_source(self, where: str, feed_name: str, source: FeedSource) -> None:
        feed = FEEDS[feed_name]
        where = f"{where}.sources[{source.source}]"
        if source.source not in self.systems:
            raise ValueError(f"{where}: no such system{_did_you_mean(source.source, self.systems)}")
        system = self.systems[source.source]
        wanted = {"files": "files", "rest": "endpoint"}.get(system.connector, "table or query")
        given = {
            "files": source.files is not None,
            "endpoint": source.endpoint is not None,
            "table or query": source.files is None and source.endpoint is None,
        }
        if not given[wanted]:
            raise ValueError(f"{where}: a {system.connector} system needs {wanted}")
        if source.attributes is not None and (
            "attributes" not in feed.column_names or "attributes" in source.columns
        ):
            raise ValueError(
                f"{where}: attributes: unmapped needs a feed with a column attributes, not mapped"
            )
        for name in source.columns:
            if name not in feed.column_names:
                raise ValueError(f"{where}.columns: no column {name}{_did_you_mean(name, feed.column_names)}")
        if missing := [name for name in feed.required if name not in source.columns]:
            raise ValueError(f"{where}.columns: required but not mapped: {', '.join(missing)}")

    def batch_checks(self, feed: str) -> BatchChecks:
        """Return a feed's checks of whole batches: those of all feeds, with what it says itself."""
        own = self.feeds[feed].checks.batch.model_dump(exclude_unset=True)
        every = self.checks.batch.model_dump()
        return BatchChecks.model_validate({name: {**every[name], **own.get(name, {})} for name in every})

    def report_schedule(self, name: str, usual: str) -> str:
        """Return when a report goes out; one that the configuration does not name never does by itself."""
        report = self.reports.get(name)
        return (report.schedule or usual) if report else "by_hand"

    @property
    def zone(self) -> ZoneInfo:
        """Return the business time zone."""
        return ZoneInfo(self.business.time_zone)


def _check_added_rule(where: str, feed: Feed, name: str, rule: AddedRule) -> None:
    """Refuse a rule that speaks of what the feed, or the feed that it refers to, does not have."""
    if name in feed.column_names:
        raise ValueError(f"{where}: a column is called so; name the rule by what must hold")
    named = rule.no_repeats if isinstance(rule.no_repeats, tuple) else ()
    for column in (*named, *([rule.column] if rule.column else [])):
        if column not in feed.column_names:
            raise ValueError(f"{where}: no column {column}{_did_you_mean(column, feed.column_names)}")
    has_range = rule.at_least is not None or rule.at_most is not None
    if has_range and feed.column(str(rule.column)).type not in ("numeric", "integer"):
        raise ValueError(f"{where}: {rule.column} is no number, so it has no at_least or at_most")
    single = {other.name for other in FEEDS.values() if len(other.key) == 1}
    if rule.refers_to is not None and rule.refers_to not in single:
        raise ValueError(f"{where}.refers_to: no such feed{_did_you_mean(rule.refers_to, single)}")


def _did_you_mean(found: str, allowed: Iterable[str]) -> str:
    close = difflib.get_close_matches(found, list(allowed), 1)
    guess = f", did you mean {close[0]}?" if close else ";"
    return f"{guess} allowed: {', '.join(sorted(allowed))}"


def load_settings(file: Path | None = None) -> Settings:
    """Read and validate `winback.yml`.

    Raises:
        WinbackError: the file is missing, no YAML, or says something that is not allowed; the message
            names the file, each key, what was found, what is allowed, and an example.
    """
    file = file or paths.config_file()
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise WinbackError(
            f"{file}: the configuration cannot be read ({error.strerror}).",
            "copy winback.yml from the project, or name yours with WINBACK_CONFIG=/path/to/winback.yml",
        ) from None
    except UnicodeDecodeError as error:
        raise WinbackError(
            f"{file}: not UTF-8 at byte {error.start}.", "save the file as UTF-8 and try again"
        ) from None
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "unknown place"
        raise WinbackError(
            f"{file}: no valid YAML at {place}: {getattr(error, 'problem', None) or 'unreadable'}.",
            "mend that line; indent with spaces, and quote values that hold ': ' or '#'",
        ) from None
    try:
        return Settings.model_validate(data if data is not None else {})
    except ValidationError as error:
        found = [_explain(problem) for problem in error.errors(include_url=False)]
        raise WinbackError(
            f"{file}: {len(found)} problem{'s' if len(found) > 1 else ''}.\n" + "\n".join(found),
            "mend the keys above; docs/configuration.md explains each",
        ) from None


def _explain(problem: Any) -> str:
    """Turn one pydantic problem into: key, what was found, what is allowed, an example."""
    location, allowed, examples = _look_up(problem["loc"])
    message = problem["msg"].removeprefix("Value error, ").removeprefix("Input ")
    lines = [f"  {'.'.join(location) or '(whole file)'}: {message}"]
    found = problem.get("input")
    if problem["type"] == "extra_forbidden":
        lines = [f"  {'.'.join(location)}: no such key{_did_you_mean(location[-1], allowed)}"]
    elif problem["type"] != "missing" and not isinstance(found, dict | list | BaseModel):
        lines.append(f"    found: {found!r}")
    if examples:
        lines.append(f"    example: {location[-1]}: {_as_yaml(examples[0])}")
    return "\n".join(lines)


def _as_yaml(value: Any) -> str:
    return yaml.safe_dump(value, default_flow_style=True, allow_unicode=True).removesuffix("\n...\n").strip()


def _look_up(location: tuple[Any, ...]) -> tuple[list[str], list[str], list[Any]]:
    """Follow a location through the JSON schema: path as written, keys allowed there, examples."""
    schema = Settings.model_json_schema()
    path: list[str] = []
    siblings: dict[str, Any] = schema
    node: dict[str, Any] = schema
    for part in location:
        options: dict[str, str] = node.get("discriminator", {}).get("mapping", {})
        if part in options:  # pydantic names the variant of a union; the file does not
            node = _resolve(schema, {"$ref": options[part]})
            continue
        path.append(str(part))
        siblings, node = node, _child(schema, node, part)
    return path, list(siblings.get("properties", {})), node.get("examples", [])


def _child(schema: dict[str, Any], node: dict[str, Any], part: Any) -> dict[str, Any]:
    if isinstance(part, int):
        return _resolve(schema, node.get("items", {}))
    for option in (node, *(_resolve(schema, option) for option in node.get("anyOf", []))):
        if part in option.get("properties", {}):
            return _resolve(schema, option["properties"][part])
    by_pattern = list(node.get("patternProperties", {}).values())  # names that must follow a pattern
    return _resolve(schema, by_pattern[0] if by_pattern else node.get("additionalProperties"))


def _resolve(schema: dict[str, Any], node: Any) -> dict[str, Any]:
    """Follow a reference, keeping what stands beside it; an optional value counts as the value."""
    resolved: dict[str, Any] = dict(node) if isinstance(node, dict) else {}
    if "$ref" in resolved:
        resolved = {**schema["$defs"][resolved["$ref"].rsplit("/", 1)[-1]], **resolved}
    for option in resolved.get("anyOf", []):
        resolved = {**_resolve(schema, option), **resolved}
    return resolved
