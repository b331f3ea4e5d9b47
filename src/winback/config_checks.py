"""What `winback.yml` says of checks: thresholds, further rules, severities, and when a whole batch is odd.

Rules about rows stand in `expectations/`; what they mean is said there. Here stands what a deployment may
choose. A whole batch is compared with what its source usually sends.
"""

from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from winback.config_types import Duration, Name, Strict


def _off(value: Any) -> Any:
    """Take a bare `off` as it is meant: YAML reads it as false."""
    return "off" if value is False else value


RowSeverity = Annotated[
    Literal["reject", "warn", "stop", "off"], BeforeValidator(_off), Field(examples=["warn"])
]
BatchSeverity = Annotated[Literal["warn", "stop", "off"], BeforeValidator(_off), Field(examples=["stop"])]


class Thresholds(Strict):
    """Numbers that rules in `expectations/` speak of.

    `future` is how far ahead of the warehouse's clock a moment may be; `line_amount` by what share of a
    line's amount it may differ from quantity × unit price − discount, and `cent` by how much it may at least.
    """

    future: Duration = timedelta(days=1)
    line_amount: Annotated[float, Field(ge=0, examples=[0.01])] = 0.01
    cent: Annotated[float, Field(ge=0, examples=[0.01])] = 0.01


class AddedRule(Strict):
    """A rule about the rows of a feed, without Python. An empty column breaks none but `required`."""

    column: Annotated[Name | None, Field(examples=["channel"])] = None
    required: Annotated[Literal[True] | None, Field(examples=[True])] = None
    allowed: Annotated[tuple[str, ...] | None, Field(min_length=1, examples=[["store", "app"]])] = None
    at_least: Annotated[float | None, Field(examples=[0])] = None
    at_most: Annotated[float | None, Field(examples=[100000])] = None
    matches: Annotated[str | None, Field(examples=["[0-9]{11}"])] = None
    refers_to: Annotated[Name | None, Field(examples=["customers"])] = None
    no_repeats: Annotated[
        tuple[Name, ...] | Literal["every_source_column"] | None,
        Field(examples=[["order_id", "product_id", "quantity"]]),
    ] = None
    apart_from: Annotated[tuple[str, ...], Field(examples=[["line_no"]])] = ()
    severity: Annotated[Literal["reject", "warn", "stop"], Field(examples=["warn"])] = "reject"
    owner: Annotated[str, Field(examples=["sales operations"])] = "data engineering"
    protects_en: Annotated[str, Field(examples=["An unknown channel cannot be compared."])]
    protects_zh: Annotated[str, Field(examples=["渠道未知的订单无法比较。"])]

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        ways = (self.required, self.allowed, self.matches, self.refers_to, self.no_repeats)
        has_range = self.at_least is not None or self.at_most is not None
        if sum(way is not None for way in ways) + has_range != 1:
            raise ValueError(
                "give one of: required, allowed, at_least and at_most, matches, refers_to, no_repeats"
            )
        if (self.column is None) != (self.no_repeats is not None):
            raise ValueError("give a column, or no_repeats, which names its own")
        if self.apart_from and self.no_repeats != "every_source_column":
            raise ValueError("apart_from belongs to no_repeats: every_source_column")
        return self


class Freshness(Strict):
    """The newest row may be so many working days older than the business day, in feeds with a moment."""

    severity: BatchSeverity = "warn"
    at_most_days: Annotated[int, Field(ge=0, examples=[3])] = 3


class Volume(Strict):
    """How far the number of a day's rows may be from the usual for that weekday.

    Odd is what differs by more than `deviations` (of the median absolute deviation, scaled to a standard
    deviation) and by more than the share `change` of the usual.
    """

    too_few: BatchSeverity = "stop"
    too_many: BatchSeverity = "warn"
    deviations: Annotated[float, Field(gt=0, examples=[6])] = 6
    change: Annotated[float, Field(ge=0, examples=[0.5])] = 0.5


class NullShare(Strict):
    """How far a column's share of empty values may rise, in deviations and as a difference of shares."""

    severity: BatchSeverity = "warn"
    deviations: Annotated[float, Field(gt=0, examples=[6])] = 6
    change: Annotated[float, Field(ge=0, le=1, examples=[0.1])] = 0.1


class AmountShift(Strict):
    """How many times larger or smaller than usual the typical amount (geometric mean) may be."""

    severity: BatchSeverity = "warn"
    deviations: Annotated[float, Field(gt=0, examples=[6])] = 6
    factor: Annotated[float, Field(gt=1, examples=[2])] = 2


class CategoryShift(Strict):
    """How far a column's mix of values may move, by the population stability index; 0.25 is a major shift."""

    severity: BatchSeverity = "warn"
    at_most: Annotated[float, Field(gt=0, examples=[0.25])] = 0.25


class QuarantinedShare(Strict):
    """What share of a batch's rows may be rejected."""

    severity: BatchSeverity = "stop"
    at_most: Annotated[float, Field(ge=0, le=1, examples=[0.2])] = 0.2


class Usual(Strict):
    """What counts as usual: the last so many weeks or batches; with fewer than `at_least`, nothing is judged.

    A batch of fewer than `rows` rows is judged by `volume` and `freshness` only, and a day that usually has
    fewer cannot have too few. A file about a day more than `late_days` before the one that is loaded is
    history: only its share of rejected rows is judged.
    """

    weeks: Annotated[int, Field(ge=1, examples=[12])] = 12
    batches: Annotated[int, Field(ge=1, examples=[20])] = 20
    at_least: Annotated[int, Field(ge=2, examples=[4])] = 4
    rows: Annotated[int, Field(ge=1, examples=[20])] = 20
    late_days: Annotated[int, Field(ge=0, examples=[7])] = 7


class BatchChecks(Strict):
    """When a whole batch is odd, and what then."""

    freshness: Freshness = Freshness()
    volume: Volume = Volume()
    null_share: NullShare = NullShare()
    amount: AmountShift = AmountShift()
    categories: CategoryShift = CategoryShift()
    quarantined_share: QuarantinedShare = QuarantinedShare()
    usual: Usual = Usual()


class FeedChecks(Strict):
    """One feed's checks: other severities, rules of its own, and what of `batch` is different here."""

    severities: Annotated[dict[Name, RowSeverity], Field(examples=[{"customer_id_is_filled": "reject"}])] = {}
    rules: Annotated[dict[Name, AddedRule], Field(examples=[{"channel_is_ours": {"column": "channel"}}])] = {}
    batch: BatchChecks = BatchChecks()


class Checks(Strict):
    """What holds for all feeds, unless a feed says otherwise."""

    thresholds: Thresholds = Thresholds()
    batch: BatchChecks = BatchChecks()
