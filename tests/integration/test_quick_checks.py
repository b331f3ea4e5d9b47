"""The stand-in for Great Expectations in the tests of loading says what Great Expectations says."""

from dataclasses import replace

import pytest

from tests.company import DAY, days_after
from tests.quick_checks import evaluate_by_query
from winback.check.evaluate import evaluate
from winback.errors import WinbackError
from winback.load import checking, load_feed


@pytest.fixture
def agreed(monkeypatch):
    """Let both check every batch, and return what they agreed on: outcomes by level."""
    outcomes = {"row": set(), "batch": set()}

    def check(*batch):
        results = evaluate(*batch)
        assert evaluate_by_query(*batch) == [replace(result, duration_ms=0) for result in results]
        for result in results:
            outcomes[result.level].add(result.outcome)
        return results

    monkeypatch.setattr(checking, "evaluate", check)
    return outcomes


def test_both_find_the_same_rows_and_the_same_odd_batches(company, agreed):
    for number in range(-8, 1):
        day, amount = days_after(number), 1000 if number == 0 else 5
        company.sell(*((f"{day}-{n}", f"{day} 10:00", amount, "C1", f"{day} 10:00") for n in range(60)))
        load_feed(company.settings, "orders", day)
    assert agreed["batch"] == {"passed", "failed", "cold_start"}


def test_both_find_the_same_of_rows_that_break_rules_and_of_an_empty_batch(company, agreed):
    company.complain(DAY, *("T1,昨天,C1,转王经理,9", ",2026-03-02,C3,,4", "T2,2026-03-02,C2,,4") * 10)
    with pytest.raises(WinbackError, match="quarantined_share"):
        load_feed(company.settings, "complaints", DAY)
    company.complain(DAY)
    load_feed(company.settings, "complaints", DAY)
    assert agreed["row"] == {"passed", "failed"}
    assert "failed" in agreed["batch"]
