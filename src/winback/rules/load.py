"""Load the rules: the shipped seeds, with a company's rows in the place of those of the same key."""

import csv
import io
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from winback import paths
from winback.errors import WinbackError
from winback.rules import consistency
from winback.rules.problems import Problem, did_you_mean
from winback.rules.read import Reading, Row, place_of, read_rules
from winback.rules.seeds import SHIPPED, Seed, descriptions, read_metrics, read_seeds, read_signals

_README = "README.md"


@dataclass(frozen=True)
class Rules:
    """Every rule in force or to come, by seed; and what a person should look at."""

    seeds: Mapping[str, tuple[Row, ...]]
    warnings: tuple[str, ...] = ()

    def in_force(self, policy: str, day: date) -> list[Row]:
        """Return a policy's churn rules on a day."""
        return consistency.in_force(self.seeds["churn_rules"], policy, day)

    def watched_signals(self, lines: Mapping[str, str]) -> dict[str, list[str]]:
        """Return, for the policies of business lines, the signals that an enabled rule watches on any day."""
        return {
            policy: sorted(
                {
                    row["signal"]
                    for row in self.seeds["churn_rules"]
                    if row["policy"] == policy and row["enabled"]
                }
            )
            for policy in sorted(set(lines.values()))
        }

    def as_texts(self) -> dict[str, str]:
        """Return the seeds as CSV, by file name."""
        return {f"{name}.csv": _as_csv(seed, self.seeds[name]) for name, seed in read_seeds().items()}

    def write(self, folder: Path) -> None:
        """Write the seeds where dbt loads them, before each of its runs: it writes what it ran over them."""
        folder.mkdir(parents=True, exist_ok=True)
        texts = self.as_texts() | {file.name: file.read_text("utf-8") for file in descriptions()}
        for file in (*folder.glob("*.csv"), *folder.glob("*.yml")):
            if file.name not in texts:
                file.unlink()
        for name, text in texts.items():
            write_changed(folder / name, text)


def write_changed(file: Path, text: str) -> None:
    """Write a file, unless it says this already, all at once: another process may read or write it."""
    if not file.exists() or file.read_text("utf-8") != text:
        fresh = file.with_name(f".{file.name}.{os.getpid()}")
        fresh.write_text(text, encoding="utf-8", newline="")
        fresh.replace(file)


def company_folder() -> Path:
    """Return the folder of the company's own rows; `WINBACK_COMPANY_RULES` names another one."""
    return Path(os.environ.get("WINBACK_COMPANY_RULES", SHIPPED / "company")).absolute()


def load_rules(lines: Mapping[str, str]) -> Rules:
    """Read and check every rule.

    Args:
        lines: the business lines of `winback.yml`, each with its policy.

    Raises:
        WinbackError: some rows cannot be meant as they stand; the message names each with file and line.
    """
    described = read_seeds()
    readings = {name: _read(seed) for name, seed in described.items()}
    merged = {name: _merged(readings[name]) for name in described}
    _refuse(
        *(problem for reading in readings.values() for problem in reading.problems),
        *_stray_files(company_folder(), described),
        *_inconsistencies(lines, merged),
        *consistency.idle_removals(row for row in readings["churn_rules"].rows if row.is_whole),
    )
    return Rules(merged, tuple(_warnings(lines, merged)))


def load_seed(name: str) -> tuple[Row, ...]:
    """Return the rows of one seed; loads go on while rows of another are wrong.

    Raises:
        WinbackError: some rows of it cannot be meant.
    """
    reading = _read(read_seeds()[name])
    _refuse(*reading.problems)
    return _merged(reading)


def _refuse(*problems: Problem) -> None:
    found = sorted(set(problems))
    if found:
        named = "\n  ".join(map(str, found))
        raise WinbackError(
            f"the rules: {len(found)} problem{'s' if len(found) > 1 else ''}.\n  {named}",
            "mend these rows, then see what is in force: winback rules check"
            " (docs/how-to/add-a-rule.md explains every column)",
        )


def _read(seed: Seed) -> Reading:
    """Read the shipped rows of a seed, and then those of the company."""
    own = company_folder() / f"{seed.name}.csv"
    shipped = read_rules(SHIPPED / own.name, seed, is_company=False)
    company = read_rules(own, seed, is_company=True) if own.exists() else Reading((), ())
    return Reading(shipped.rows + company.rows, shipped.problems + company.problems)


def _merged(reading: Reading) -> tuple[Row, ...]:
    """Return one row per key: the later one, which is the company's."""
    return tuple({row.key: row for row in reading.rows}.values())


def _stray_files(folder: Path, described: Mapping[str, Seed]) -> Iterator[Problem]:
    """Refuse a file that no seed is called like: its rows would count for nothing."""
    if not folder.is_dir():
        if "WINBACK_COMPANY_RULES" in os.environ:
            yield Problem(str(folder), 0, "no such folder, but WINBACK_COMPANY_RULES names it")
        return
    for file in folder.iterdir():
        if file.name.startswith((".", "~$")) or file.name == _README:
            continue
        if file.suffix != ".csv" or file.stem not in described:
            known = [f"{name}.csv" for name in described]
            yield Problem(place_of(file), 0, f"no rules are called so{did_you_mean(file.name, known)}")


def _inconsistencies(lines: Mapping[str, str], merged: Mapping[str, tuple[Row, ...]]) -> Iterator[Problem]:
    policies = [row["policy"] for row in merged["policies"] if "policy" in row.cells]
    for line, policy in lines.items():
        if policy not in policies:
            said = f"business.lines.{line}: no such policy {policy!r}{did_you_mean(policy, policies)}"
            yield Problem(paths.config_file().name, 0, said)
    for rows in merged.values():
        yield from consistency.unknown_names(rows, "policy", policies)
    yield from consistency.unknown_names(merged["churn_rules"], "signal", read_signals())
    guesses = [row for row in merged["inferred_reasons"] if row.cells.get("evidence") == "signal"]
    yield from consistency.unknown_names(guesses, "name", read_signals())
    yield from consistency.unknown_names(merged["targets"], "metric", read_metrics())
    yield from consistency.unknown_names(merged["targets"], "business_line", [*lines, "all"])
    yield from consistency.unknown_names(merged["campaigns"], "business_line", lines)
    bands = [row["time_away"] for row in merged["times_away"] if "time_away" in row.cells]
    yield from consistency.unknown_words(merged["campaigns"], "times_away", bands)
    yield from consistency.no_first_band(merged["times_away"])
    whole = [row for row in merged["churn_rules"] if row.is_whole]
    yield from consistency.contradictions(whole)
    yield from consistency.unfit_care_rules(row for row in merged["care_rules"] if row.is_whole)
    if merged["tier_rules"] and all(row.is_whole for row in merged["tier_rules"]):
        yield from consistency.tier_gaps(merged["tier_rules"])


def _warnings(lines: Mapping[str, str], merged: Mapping[str, tuple[Row, ...]]) -> Iterator[str]:
    churn_days = {row["policy"]: row["churn_days"] for row in merged["policies"]}
    for policy in sorted(set(lines.values())):
        enabled = [row for row in merged["churn_rules"] if row["policy"] == policy and row["enabled"]]
        if not enabled:
            yield f"{policy}: no rule is enabled, so none of its customers is ever at risk or churned"
        for row in enabled:
            days, silence = churn_days[policy], row["threshold"]
            is_silence = (row["outcome"], row["signal"]) == ("churned", "days_since_last_order")
            if is_silence and days is not None and days < silence:
                yield (
                    f"{row.file}:{row.line}: churned after {silence} days, but {policy} has churn_days"
                    f" {days} in policies.csv: the first churn rates will be too low"
                )


def _as_csv(seed: Seed, rows: tuple[Row, ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(seed.columns)
    writer.writerows([_as_text(row[name]) for name in seed.columns] for row in rows)
    return out.getvalue()


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
