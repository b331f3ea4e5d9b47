"""What a suite in `expectations/` is made of: rules about rows, each one SQL predicate.

A predicate speaks of the columns of the landed batch and is true for a row that breaks the rule. Great
Expectations counts by it and the loading transaction routes by it, so the two can never disagree on
what a bad row is.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from winback.errors import WinbackError
from winback.feeds import FEEDS, Column
from winback.rules.load import load_seed

# Compare rows by everything that the source says of them, mapped or not.
EVERY_SOURCE_COLUMN = "every_source_column"
KEY_IS_NOT_REPEATED = "key_is_not_repeated"


class Severity(StrEnum):
    """What a broken rule does: its row is rejected, or only counted, or nothing of the batch is loaded."""

    REJECT = "reject"
    WARN = "warn"
    STOP = "stop"


@dataclass(frozen=True)
class RowRule:
    """One rule about one row.

    `fails_when` is SQL over the landing table (alias `landed`), true for a bad row; unknown counts as good.
    `landed.checked_at` is now: a rule never reads a clock. `{name}` stands for a threshold of `winback.yml`.
    `protects_en` and `protects_zh` say, to a manager, what the rule keeps from going wrong.

    A rule that looks beyond its row has `finds` too: a query for the `row_number` of the bad rows, run once,
    before the checks, so that check and load see the same. It may name `{landing}`, `{source_id}` and
    `{raw_<feed>}`. `finds_if` is a cheaper query that tells whether there is anything to find.
    `refers_to` is the feed that the query looks a reference up in; a row that is rejected for it waits, and
    is retried by itself when what it refers to is there: `has_arrived` is SQL over the quarantined row (alias
    `waiting`). `compares_rows` marks a rule about rows of one batch among each other, `is_needed` one without
    which a row cannot be stored at all.
    """

    name: str
    fails_when: str
    severity: Severity
    owner: str
    protects_en: str
    protects_zh: str
    finds: str | None = None
    finds_if: str | None = None
    refers_to: str | None = None
    has_arrived: str | None = None
    compares_rows: bool = False
    is_needed: bool = False

    @property
    def waits_for(self) -> str | None:
        """Return the feed that a row which breaks this rule waits for, if it is rejected for that."""
        return self.refers_to if self.severity is Severity.REJECT else None


@dataclass(frozen=True)
class AllowedCodes:
    """A rule whose codes are the rows of a seed, or are named; upper and lower case are the same.

    Codes that a company may add to are data, so a new one needs no code.
    """

    column: str
    owner: str
    protects_en: str
    protects_zh: str
    seed: str | None = None
    seed_column: str = ""
    codes: tuple[str, ...] = ()
    severity: Severity = Severity.REJECT

    @property
    def name(self) -> str:
        """Return the rule's name."""
        return f"{self.column}_is_known"

    def rule(self, feed: str) -> RowRule:
        """Read the seed and return the rule about its codes."""
        codes = ", ".join(literal(code) for code in self._codes())
        return RowRule(
            name=self.name,
            fails_when=f"lower(btrim(landed.{self.column})) not in ({codes})",
            severity=self.severity,
            owner=self.owner,
            protects_en=self.protects_en,
            protects_zh=self.protects_zh,
        )

    def _codes(self) -> list[str]:
        if self.seed is None:
            return [code.lower() for code in self.codes]
        codes = sorted({str(row[self.seed_column]).lower() for row in load_seed(self.seed)})
        if not codes:
            raise WinbackError(f"{self.seed}.csv: no codes, so every row would be refused.", "fill the seed")
        return codes


@dataclass(frozen=True)
class Reference:
    """A column that must name a row of another feed, or of its own; empty is no reference.

    It is looked up in the system that `system` names, a column such as `customer_source_id`, or else in the
    row's own. The row that is referred to may be loaded later: a rejected row waits for it.
    """

    column: str
    feed: str
    severity: Severity
    owner: str
    protects_en: str
    protects_zh: str
    system: str | None = None

    @property
    def name(self) -> str:
        """Return the rule's name."""
        return f"{self.column}_refers_to_{self.feed}"

    def rule(self, feed: str) -> RowRule:
        """Return the rule of a feed; where a feed refers to itself, the batch is looked into as well."""
        (key,) = FEEDS[self.feed].key
        system = self.system or f"{key.removesuffix('_id')}_source_id"
        own_system = system if system in FEEDS[feed].column_names else None
        source = f"coalesce(landed.{own_system}, {{source_id}})" if own_system else "{source_id}"
        waiting_source = (
            f"coalesce(waiting.typed_values ->> {literal(own_system)}, waiting.source_id)"
            if own_system
            else "waiting.source_id"
        )
        in_batch = (
            f" and not exists (select from {{landing}} as own where own.{key} = landed.{self.column})"
            if self.feed == feed
            else ""
        )
        return RowRule(
            name=self.name,
            fails_when=_found(self.name),
            severity=self.severity,
            owner=self.owner,
            protects_en=self.protects_en,
            protects_zh=self.protects_zh,
            finds=(
                f"select landed.row_number from {{landing}} as landed where landed.{self.column} is not null"
                f" and not exists (select from {{raw_{self.feed}}} as known"
                f" where known.source_id = {source} and known.{key} = landed.{self.column})"
                f"{in_batch}{self._if_known_yet(feed)}"
            ),
            refers_to=self.feed,
            has_arrived=(
                f"exists (select from {{raw_{self.feed}}} as known"
                f" where known.source_id = {waiting_source}"
                f" and known.{key} = waiting.typed_values ->> {literal(self.column)})"
            ),
        )

    def _if_known_yet(self, feed: str) -> str:
        """Return the condition under which a row that is not rejected is judged.

        Feeds are loaded side by side: before the other's first load, or of a row newer than all that it has,
        nobody can tell. A row that is rejected for it waits, and is judged again.
        """
        if feed == self.feed or self.severity is Severity.REJECT:
            return ""
        own, other = FEEDS[feed].event_column, FEEDS[self.feed].event_column
        if own is None or other is None:
            return f" and exists (select from {{raw_{self.feed}}})"
        return f" and landed.{own} <= (select max({other}) from {{raw_{self.feed}}})"


@dataclass(frozen=True)
class NoRepeats:
    """No row of a batch may repeat an earlier one in these columns; the first of them is no repeat.

    `apart_from` are columns of the source that are not compared, such as a line number that its query made.
    """

    name: str
    columns: tuple[str, ...] | Literal["every_source_column"]
    severity: Severity
    owner: str
    protects_en: str
    protects_zh: str
    apart_from: tuple[str, ...] = ()

    def rule(self, feed: str, condition: str = "true") -> RowRule:
        """Return the rule of a feed, about the rows that a condition holds for.

        A typed source has no text of its rows, so its columns are compared.
        """
        columns = self.columns
        if columns == EVERY_SOURCE_COLUMN:
            typed = ", ".join(
                f"landed.{name}" for name in FEEDS[feed].column_names if name not in self.apart_from
            )
            left_out = ", ".join(map(literal, self.apart_from))
            text = "landed.source_text"
            if left_out:
                text = f"({text}::jsonb - array[{left_out}])::text"
            compared = f"coalesce({text}, row({typed})::text)"
        else:
            compared = ", ".join(f"landed.{name}" for name in columns)
        return RowRule(
            name=self.name,
            fails_when=_found(self.name),
            severity=self.severity,
            owner=self.owner,
            protects_en=self.protects_en,
            protects_zh=self.protects_zh,
            finds=(
                "select row_number from (select landed.row_number,"
                f" row_number() over (partition by {compared} order by landed.row_number) as time"
                f" from {{landing}} as landed where {condition}) as seen where time > 1"
            ),
            compares_rows=True,
        )


Rule = RowRule | AllowedCodes | Reference | NoRepeats


@dataclass(frozen=True)
class Suite:
    """All rules of one feed; the structural ones follow from the feed's columns.

    `amounts` and `categories` are the columns whose typical value, and whose mix of values, are compared
    from batch to batch.
    """

    feed: str
    rules: tuple[Rule, ...] = ()
    amounts: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def row_rules(self) -> tuple[RowRule, ...]:
        """Return every rule, structural ones first, with the codes of seeds filled in.

        Raises:
            WinbackError: two rules share a name.
        """
        own = tuple(rule if isinstance(rule, RowRule) else rule.rule(self.feed) for rule in self.rules)
        every = (*_structural_rules(self.feed), *own)
        names = [rule.name for rule in every]
        if twice := {name for name in names if names.count(name) > 1}:
            raise WinbackError(
                f"the checks of {self.feed}: two rules named {sorted(twice)}.",
                f"rename one, in expectations/{self.feed}.py or in winback.yml",
            )
        return every


def _structural_rules(feed_name: str) -> tuple[RowRule, ...]:
    """Return: required columns are filled, text could be read as its column's type, dates are of our time.

    Text went through the right encoding, and no key comes twice in one batch.
    """
    rules = []
    feed = FEEDS[feed_name]
    for column in feed.columns:
        if column.is_required:
            rules.append(_is_filled(column))
        if column.type != "text":
            rules.append(_is_readable(column))
        if column.type in ("date", "timestamptz"):
            rules.append(_is_plausible(column))
    return (*rules, _is_legible(feed_name), _key_is_not_repeated(feed_name))


def _is_filled(column: Column) -> RowRule:
    return RowRule(
        name=f"{column.name}_is_filled",
        fails_when=f"landed.{column.name} is null and not coalesce(landed.unread ? '{column.name}', false)",
        severity=Severity.REJECT,
        owner="data engineering",
        protects_en=f"A row without {column.name} cannot be counted anywhere.",
        protects_zh=f"缺少 {column.name} 的记录无法计入任何指标。",
        is_needed=True,
    )


def _is_readable(column: Column) -> RowRule:
    return RowRule(
        name=f"{column.name}_is_readable",
        fails_when=f"landed.{column.name} is null and landed.unread ? '{column.name}'",
        severity=Severity.REJECT,
        owner="data engineering",
        protects_en=f"Text in {column.name} that is no {column.type} would silently turn into nothing.",
        protects_zh=f"{column.name} 的内容无法识别为 {column.type}，否则会被悄悄丢掉。",
        is_needed=column.is_required,
    )


def _is_plausible(column: Column) -> RowRule:
    # 1899-12-30 is a spreadsheet's day zero, 9999-12-31 a database's "never": both are nulls in disguise.
    return RowRule(
        name=f"{column.name}_is_plausible",
        fails_when=f"landed.{column.name} < date '1900-01-01' or landed.{column.name} >= date '2200-01-01'",
        severity=Severity.REJECT,
        owner="data engineering",
        protects_en=f"A {column.name} outside 1900 to 2199 is a placeholder; null_values can say so.",
        protects_zh=f"{column.name} 不在 1900 至 2199 年之间，多为占位值；可列入 null_values。",
    )


# A letter in UTF-8 that was read as a Western encoding is two to four of these: Ã¼, æ˜¯, ðŸ™‚. The first is a
# letter of other texts, too, where typographic signs may follow it: “café”… Others may not.
_STRAY = "€‚ƒ„†‡ˆ‰Š‹ŒŽ˜›œŸ\\u0080-\\u009f¡-ª¬\\u00ad¯-¶¸-º¼-¿"
_TYPOGRAPHIC = "…‘’“”–—š«»•™ž®·\\u00a0"
# A Hanzi in GBK that was read as a Western encoding: two of them in a row, such as ÀîÄÈ, are no word.
_GBK_HANZI = "[±-¶¸-º¼-¾À-ÖØ-ö][¡-þ]"
_ILLEGIBLE = (
    "�",  # could not be read
    "锟斤拷",  # two of the above, read as GBK
    "烫烫烫",  # memory that was never written
    "屯屯屯",
    f"[ÂÃÄÅÐÑâ-éð][{_STRAY}]",
    f"[â-é][{_TYPOGRAPHIC}][{_STRAY}]",
    f"[ÂÃ][{_TYPOGRAPHIC}][A-Za-z]",
    _GBK_HANZI + _GBK_HANZI,
)


def _is_legible(feed_name: str) -> RowRule:
    """Find what is left of text that was read in a wrong encoding, somewhere before it came here."""
    columns = [column.name for column in FEEDS[feed_name].columns if column.type == "text"]
    text = f"concat_ws(' ', {', '.join(f'landed.{name}' for name in columns)})"
    illegible = literal("|".join(_ILLEGIBLE))
    return RowRule(
        name="text_is_legible",
        # Plain ASCII, which most rows are, is told in a third of the time.
        fails_when=f"octet_length({text}) > char_length({text}) and {text} ~ {illegible}",
        severity=Severity.WARN,
        owner="data engineering",
        protects_en="Text that was read in a wrong encoding shows nonsense to whoever calls the customer.",
        protects_zh="乱码会让致电客户的人看到无法辨认的文字。",
    )


def _key_is_not_repeated(feed_name: str) -> RowRule:
    key = FEEDS[feed_name].key
    is_filled = " and ".join(f"landed.{name} is not null" for name in key)
    rule = NoRepeats(
        name=KEY_IS_NOT_REPEATED,
        columns=key,
        severity=Severity.WARN,
        owner="data engineering",
        protects_en=f"Of rows with one {', '.join(key)} only the newest counts; the others may be a mistake.",
        protects_zh=f"{'、'.join(key)} 相同的多条记录只计最新的一条，其余可能是误录。",
    ).rule(feed_name, is_filled)
    # Most batches repeat no key, which is told in a third of the time.
    return replace(
        rule, finds_if=f"select count(*) > count(distinct ({', '.join(key)})) from {{landing}} as landed"
    )


def _found(name: str) -> str:
    return f"{literal(name)} = any(landed.found)"


def literal(text: str) -> str:
    """Quote text for a predicate, in which braces stand around thresholds."""
    return "'" + text.replace("'", "''").replace("{", "{{").replace("}", "}}") + "'"
