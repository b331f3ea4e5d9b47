"""From landing to verdict: all checks of one batch, and what happens when one of them stops it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

import psycopg

from winback import warehouse
from winback.check.evaluate import CheckResult, evaluate, stopping
from winback.check.gates import Gate, batch_gates, explain
from winback.check.history import read_history
from winback.check.landed import Origin, count_broken, create_rules_view, find, measures_name
from winback.check.measures import (
    QUARANTINED_SHARE,
    Delivery,
    Measures,
    complete_measures,
    measure,
)
from winback.check.results import accepted_before, note_results
from winback.check.rules import RowRule
from winback.check.suites import rules_for, suite_for, thresholds
from winback.config import FeedSource, Settings
from winback.feeds import Feed
from winback.holidays import Holidays
from winback.incidents import open_incident
from winback.load.attempt import BatchStopped

Kind = Literal["load", "backfill", "replay"]


@dataclass(frozen=True)
class Checked:
    """A landed batch after its checks: the view to route by, the rules, what they found, what it measures."""

    view: str
    rules: tuple[RowRule, ...]
    results: tuple[CheckResult, ...]
    measures: Measures | None = None

    @property
    def rows_in(self) -> int:
        """Return how many rows came."""
        return next(result.rows_total for result in self.results if result.level == "row")

    @property
    def rows_failed(self) -> dict[str, int]:
        """Return, by rule, how many rows break it."""
        return {result.expectation: result.rows_failed for result in self.results if result.level == "row"}


@dataclass(frozen=True)
class BatchCheck:
    """The checks of one source's batches of one business day; `accepts` names those that may fail."""

    connection: psycopg.Connection[Any]
    settings: Settings
    feed: Feed
    source: FeedSource
    day: date
    kind: Kind = "load"
    accepts: frozenset[str] = frozenset()

    def run(self, batch_id: int, landing: str, origin: Origin, about: date | None = None) -> Checked:
        """Check a landed batch; `about` is the business day that its rows are about, where it is another.

        Raises:
            BatchStopped: a check that stops the batch failed, and nobody accepted it.
            RuntimeError: the columns that rows are routed by and Great Expectations disagree.
        """
        rules = rules_for(self.settings, self.feed.name)
        find(self.connection, landing, rules, self.source.source, is_replay=self.kind == "replay")
        view = create_rules_view(self.connection, landing, rules, thresholds(self.settings), origin)
        measures, gates = self._gates(landing, view, rules, about or self.day)
        results = evaluate(warehouse.url(), view, rules, measures_name(landing), gates)
        counted = measures.rows_failed if measures else count_broken(self.connection, view, rules)
        _check_agreement(batch_id, results, counted)
        accepted = self.accepts | accepted_before(
            self.connection, self.feed.name, self.source.source, self.day
        )
        checked = Checked(
            view,
            rules,
            tuple(
                replace(result, outcome="accepted")
                if result.stops and result.expectation in accepted
                else result
                for result in results
            ),
            measures,
        )
        if stopped_by := stopping(checked.results):
            self._stop(batch_id, checked, stopped_by)
        return checked

    def _gates(
        self, landing: str, view: str, rules: tuple[RowRule, ...], about: date
    ) -> tuple[Measures | None, tuple[Gate, ...]]:
        """Measure the batch and return the checks of it as a whole.

        Rows out of quarantine are no batch of their own, and history is no usual day.
        """
        if self.kind == "replay":
            return None, ()
        checks, table = self.settings.batch_checks(self.feed.name), measures_name(landing)
        delivery = Delivery(
            self.feed, self.source.source, about, self.settings.zone, is_daily=self.source.is_daily
        )
        measures = measure(
            self.connection,
            delivery,
            suite_for(self.feed.name),
            rules,
            self.source.columns,
            usual=checks.usual,
            rules_view=view,
            table=table,
        )
        before = read_history(self.connection, delivery, checks.usual)
        holidays = Holidays(self.settings.business.holidays)
        gates = batch_gates(checks, measures, before, holidays)
        is_late = (self.day - about).days > checks.usual.late_days
        if self.kind == "backfill" or is_late:
            gates = tuple(gate for gate in gates if gate.name == QUARANTINED_SHARE)
        complete_measures(self.connection, table, {gate.name: gate.observed for gate in gates})
        return measures, gates

    def _stop(self, batch_id: int, checked: Checked, stopped_by: list[CheckResult]) -> None:
        """Note what was found, open an incident unless a person is at it, and raise."""
        place = f"{self.feed.name} from {self.source.source}"
        found = "; ".join(_explained(result) for result in stopped_by)
        accepting = " ".join(f"--accept {result.expectation}" for result in stopped_by)
        way_out = {
            "load": "look at the source, mend it and load again; if it is right as it is: "
            f"winback load {self.feed.name} --day {self.day} {accepting}",
            "backfill": "look at the source, mend it and run the backfill again; if it is right as it is: "
            f"winback backfill {self.feed.name} --from … --to {self.day} {accepting}",
            "replay": "mend those rows in an export, or discard them: "
            f"winback quarantine list {self.feed.name}",
        }
        error = BatchStopped(
            f"{place}, {self.day}: stopped, nothing of this batch was loaded. {found}.", way_out[self.kind]
        )
        with self.connection.transaction():
            note_results(
                self.connection,
                batch_id=batch_id,
                feed=self.feed.name,
                source_id=self.source.source,
                day=self.day,
                rules=checked.rules,
                results=checked.results,
            )
            if self.kind != "replay":
                subject = place if self.kind == "load" else f"backfill of {self.feed.name}"
                open_incident(self.connection, "load", subject, self.day, error.problem, error.fix, batch_id)
        raise error


def _check_agreement(batch_id: int, results: list[CheckResult], counted: Mapping[str, int]) -> None:
    """Refuse a batch of which the loading transaction would reject other rows than were counted."""
    found = {result.expectation: result.rows_failed for result in results if result.level == "row"}
    if found != counted:
        differing = sorted(name for name in found if found[name] != counted.get(name))
        raise RuntimeError(
            f"batch {batch_id}: check and load disagree on {', '.join(differing)}; nothing was loaded"
        )


def _explained(result: CheckResult) -> str:
    if result.gate is not None:
        return explain([result.gate])[0]
    return f"{result.expectation}: {result.rows_failed:,} of {result.rows_total:,} rows"
