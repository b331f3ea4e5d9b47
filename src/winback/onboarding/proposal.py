"""What `winback init` proposes: the feed that a table is, and where each canonical column comes from."""

from dataclasses import dataclass, field

from winback.onboarding.samples import SourceTable
from winback.onboarding.words import Sureness


@dataclass(frozen=True)
class ColumnProposal:
    """Where one canonical column may come from; one that is not `is_used` is written as a comment."""

    name: str
    column: str | None
    sureness: Sureness
    keys: dict[str, object] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
    is_used: bool = True


@dataclass(frozen=True)
class FeedProposal:
    """One source of a feed as `winback.yml` may describe it.

    `remarks` are facts; `questions` are what a person must decide; `gaps` keep the file from being valid.
    """

    feed: str
    table: SourceTable
    sureness: Sureness
    why: str
    columns: tuple[ColumnProposal, ...]
    reading: dict[str, object]
    cursor: str | None = None
    remarks: tuple[str, ...] = ()
    questions: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """The feed that a table is taken for, or none, and why; `is_by_line` if a row is a line of an order."""

    table: SourceTable
    feed: str | None
    score: float
    why: str
    is_by_line: bool = False
