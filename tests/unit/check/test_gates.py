"""A batch is odd when it is far from what is usual, by deviations and by size; each limit at its boundary."""

import math
from dataclasses import replace
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from winback.check.gates import batch_gates, explain, stability_index
from winback.check.history import History
from winback.check.measures import OTHER, Delivery, Measures
from winback.check.rules import Severity
from winback.config_checks import BatchChecks
from winback.feeds import FEEDS
from winback.holidays import Holidays

MONDAY = date(2026, 3, 2)
NO_HOLIDAYS, CHINA = Holidays("none"), Holidays("CN")


def delivery(day=MONDAY, feed="orders", is_daily=True):
    return Delivery(FEEDS[feed], "erp", day, ZoneInfo("Asia/Shanghai"), is_daily)


def measures(rows=1000, *, of=None, **measured):
    of = of or delivery()
    return Measures(
        delivery=of, **{"rows_in": rows, "rows": rows, "volume": rows, "newest": of.day} | measured
    )


def weeks_before(day, *volumes):
    """Return volumes of the same weekday, the last week first."""
    return {day - timedelta(weeks=week + 1): float(rows) for week, rows in enumerate(volumes)}


def gate(name, found, history=None, holidays=NO_HOLIDAYS, **checks):
    """Return the one gate of a name, or None where there is none."""
    gates = batch_gates(BatchChecks.model_validate(checks), found, history or History(), holidays)
    named = [gate for gate in gates if gate.name == name]
    assert len(named) <= 1
    return named[0] if named else None


def is_odd(gate):
    """Judge as Great Expectations does: both limits are allowed."""
    assert gate is not None
    assert not gate.is_cold
    assert gate.observed is not None
    return not (
        (gate.minimum is None or gate.minimum <= gate.observed)
        and (gate.maximum is None or gate.observed <= gate.maximum)
    )


class TestVolume:
    @pytest.mark.parametrize(
        ("rows", "odd"), [(400, False), (200, False), (199, True), (0, True), (600, False), (601, True)]
    )
    def test_half_more_or_less_than_usual_is_still_allowed(self, rows, odd):
        found = gate("volume", measures(rows), History(volumes=weeks_before(MONDAY, *[400] * 12)))
        assert (found.usual, found.minimum, found.maximum) == (400, 200, 600)
        assert (found.history, found.basis) == (12, "Mondays")
        assert is_odd(found) is odd

    @pytest.mark.parametrize(("rows", "odd"), [(280, False), (279, True), (520, False), (521, True)])
    def test_counts_may_vary_by_their_square_root(self, rows, odd):
        # 6 deviations of √400, where a change of 1 % would be 4 rows
        history = History(volumes=weeks_before(MONDAY, *[400] * 12))
        assert is_odd(gate("volume", measures(rows), history, volume={"change": 0.01})) is odd

    def test_weeks_that_differ_much_widen_the_limits(self):
        history = History(volumes=weeks_before(MONDAY, *[300, 400, 500] * 4))
        found = gate("volume", measures(400), history, volume={"deviations": 2})
        # the median of 100, 0, 100, ... is 100: 2 × 1.4826 × 100 rows
        assert (found.usual, found.minimum, found.maximum) == (400, 104, 696)

    def test_one_odd_week_moves_nothing(self):
        steady = gate("volume", measures(), History(volumes=weeks_before(MONDAY, *[400] * 11)))
        spiked = gate("volume", measures(), History(volumes=weeks_before(MONDAY, 9000, *[400] * 11)))
        assert (spiked.minimum, spiked.maximum) == (steady.minimum, steady.maximum)

    @pytest.mark.parametrize(("rows", "odd"), [(1, False), (0, True)])
    def test_a_day_without_rows_is_too_few_however_much_weeks_differ(self, rows, odd):
        history = History(volumes=weeks_before(MONDAY, *[5, 25, 60] * 4))
        assert is_odd(gate("volume", measures(rows), history)) is odd

    def test_a_usual_day_of_few_rows_cannot_have_too_few(self):
        assert gate("volume", measures(0), History(volumes=weeks_before(MONDAY, *[20] * 4))).minimum == 1
        assert gate("volume", measures(0), History(volumes=weeks_before(MONDAY, *[19] * 4))).minimum is None

    @pytest.mark.parametrize("usual", [0, 3, 19, 20])
    @pytest.mark.parametrize(("rows", "odd"), [(46, False), (47, True)])
    def test_a_usual_day_of_few_rows_can_have_too_many(self, usual, rows, odd):
        # as if 20 were usual: 20 + 6 × √20
        assert (
            is_odd(gate("volume", measures(rows), History(volumes=weeks_before(MONDAY, *[usual] * 4)))) is odd
        )

    def test_too_few_and_too_many_have_severities_of_their_own(self):
        history = History(volumes=weeks_before(MONDAY, *[400] * 4))
        assert gate("volume", measures(0), history).severity is Severity.STOP
        assert gate("volume", measures(900), history).severity is Severity.WARN
        swapped = {"too_few": "warn", "too_many": "stop"}
        assert gate("volume", measures(0), history, volume=swapped).severity is Severity.WARN
        assert gate("volume", measures(900), history, volume=swapped).severity is Severity.STOP

    def test_a_side_that_is_switched_off_has_no_limit(self):
        history = History(volumes=weeks_before(MONDAY, *[400] * 4))
        few_only = gate("volume", measures(900), history, volume={"too_many": "off"})
        assert (few_only.minimum, few_only.maximum, few_only.severity) == (200, None, Severity.STOP)
        many_only = gate("volume", measures(0), history, volume={"too_few": "off"})
        assert (many_only.minimum, many_only.maximum, many_only.severity) == (None, 600, Severity.WARN)
        assert gate("volume", measures(0), history, volume={"too_few": "off", "too_many": "off"}) is None

    @pytest.mark.parametrize(("weeks", "is_cold"), [(3, True), (4, False)])
    def test_too_few_weeks_are_a_cold_start(self, weeks, is_cold):
        found = gate("volume", measures(0), History(volumes=weeks_before(MONDAY, *[400] * weeks)))
        assert found.is_cold is is_cold
        if is_cold:
            assert (found.history, found.basis) == (3, "3 Mondays known, 4 needed")

    def test_only_the_last_weeks_count(self):
        long_ago = weeks_before(MONDAY, *[400] * 12, *[9000] * 30)
        assert gate("volume", measures(), History(volumes=long_ago)).history == 12
        assert gate("volume", measures(), History(volumes=long_ago), usual={"weeks": 40}).usual == 9000

    def test_days_are_compared_with_the_same_weekday(self):
        volumes = {MONDAY - timedelta(days=n): 400.0 if n % 7 == 0 else 10.0 for n in range(1, 85)}
        found = gate("volume", measures(), History(volumes=volumes))
        assert (found.usual, found.history) == (400, 12)

    def test_the_day_itself_and_later_days_do_not_count(self):
        volumes = weeks_before(MONDAY, *[400] * 3) | {MONDAY: 400.0, MONDAY + timedelta(weeks=1): 400.0}
        assert gate("volume", measures(), History(volumes=volumes)).history == 3

    def test_public_holidays_are_left_out_of_what_is_usual(self):
        # of the twelve Mondays before, 2026-02-16 and 2026-02-23 are Spring Festival
        history = History(volumes=weeks_before(MONDAY, 400, *[400] * 11))
        assert gate("volume", measures(), history, NO_HOLIDAYS).history == 12
        assert gate("volume", measures(), history, CHINA).history == 10

    def test_a_public_holiday_is_not_judged(self):
        holiday = date(2026, 2, 16)
        history = History(volumes=weeks_before(holiday, *[400] * 12))
        found = gate("volume", measures(0, of=delivery(holiday)), history, CHINA)
        assert found.is_cold
        assert found.basis == "a public holiday is compared with no other day"
        assert is_odd(gate("volume", measures(0, of=delivery(holiday)), history, NO_HOLIDAYS))

    def test_a_make_up_workday_is_compared_with_all_workdays(self):
        saturday = date(2026, 2, 28)
        volumes = {
            saturday - timedelta(days=n): 500.0 if (saturday - timedelta(days=n)).weekday() < 5 else 10.0
            for n in range(1, 85)
        }
        found = gate("volume", measures(500, of=delivery(saturday)), History(volumes=volumes), CHINA)
        assert (found.usual, found.basis) == (500, "workdays")
        assert gate("volume", measures(of=delivery(saturday)), History(volumes=volumes)).usual == 10

    def test_a_make_up_workday_is_left_out_of_what_is_usual_on_a_weekend(self):
        saturday = date(2026, 3, 7)  # 02-28 and 02-14 were worked; 02-21 and 01-03 joined holidays
        history = History(volumes=weeks_before(saturday, *[10] * 12))
        assert gate("volume", measures(of=delivery(saturday)), history, CHINA).history == 8

    def test_what_is_read_whole_is_compared_with_earlier_reads_on_any_day(self):
        whole = delivery(date(2026, 2, 16), is_daily=False)
        volumes = {whole.day - timedelta(days=n): 1000.0 + n for n in range(1, 41)}
        found = gate("volume", measures(400, of=whole), History(volumes=volumes), CHINA)
        assert (found.usual, found.history, found.basis) == (1010.5, 20, "batches")
        assert is_odd(found)


class TestFreshness:
    @pytest.mark.parametrize(
        ("newest", "age", "odd"),
        [
            (MONDAY, 0, False),
            (date(2026, 2, 27), 1, False),  # Friday
            (date(2026, 2, 25), 3, False),
            (date(2026, 2, 24), 4, True),
        ],
    )
    def test_the_newest_row_may_be_three_working_days_old(self, newest, age, odd):
        found = gate("freshness", measures(newest=newest))
        assert (found.observed, found.column) == (age, "ordered_at")
        assert is_odd(found) is odd

    def test_holidays_are_not_counted(self):
        after = delivery(date(2026, 2, 24))
        assert gate("freshness", measures(of=after, newest=date(2026, 2, 14)), holidays=CHINA).observed == 1
        assert gate("freshness", measures(of=after, newest=date(2026, 2, 14))).observed == 7

    @pytest.mark.parametrize("in_batch", [None, date(2026, 2, 2)])
    def test_the_warehouse_may_know_newer_rows(self, in_batch):
        found = gate("freshness", measures(newest=in_batch), History(newest=date(2026, 2, 27)))
        assert found.observed == 1

    def test_without_any_row_nothing_is_judged(self):
        assert gate("freshness", measures(0, newest=None)).is_cold

    def test_feeds_without_events_have_none(self):
        assert gate("freshness", measures(of=delivery(feed="customers"))) is None
        assert gate("freshness", measures(), freshness={"severity": "off"}) is None


class TestQuarantinedShare:
    @pytest.mark.parametrize(("share", "odd"), [(0.2, False), (math.nextafter(0.2, 1), True), (0.0, False)])
    def test_a_fifth_may_be_rejected(self, share, odd):
        found = gate("quarantined_share", measures(quarantined_share=share))
        assert found.severity is Severity.STOP
        assert is_odd(found) is odd

    @pytest.mark.parametrize(("rows_in", "is_cold"), [(19, True), (20, False)])
    def test_a_small_batch_is_not_judged(self, rows_in, is_cold):
        found = gate("quarantined_share", measures(0, rows_in=rows_in, quarantined_share=1.0))
        assert found.is_cold is is_cold

    def test_it_can_be_switched_off(self):
        off = {"severity": "off"}
        assert gate("quarantined_share", measures(quarantined_share=1.0), quarantined_share=off) is None


class TestNullShare:
    def found(self, share, past, rows=10_000, **checks):
        return gate(
            "null_share_channel",
            measures(rows, null_shares={"channel": share}),
            History(values={"null_share_channel": tuple(past)}),
            **checks,
        )

    @pytest.mark.parametrize(("share", "odd"), [(0.5, False), (math.nextafter(0.5, 1), True), (0.0, False)])
    def test_it_may_rise_by_what_is_configured_and_fall_at_will(self, share, odd):
        found = self.found(share, [0.25] * 4, null_share={"change": 0.25})
        assert (found.usual, found.minimum, found.maximum, found.history) == (0.25, None, 0.5, 4)
        assert is_odd(found) is odd

    def test_in_few_rows_chance_alone_moves_it_further(self):
        assert self.found(0.25, [0.25] * 4, rows=100).maximum == pytest.approx(
            0.25 + 6 * math.sqrt(0.1875 / 100)
        )

    def test_batches_that_differ_much_widen_the_limit(self):
        found = self.found(0.2, [0.1, 0.15, 0.2, 0.25, 0.3])
        assert found.maximum == pytest.approx(0.2 + 6 * 1.4826 * 0.05)

    @pytest.mark.parametrize(("known", "is_cold"), [(3, True), (4, False)])
    def test_too_few_batches_are_a_cold_start(self, known, is_cold):
        found = self.found(1.0, [0.0] * known)
        assert found.is_cold is is_cold
        assert found.history == known

    def test_a_batch_of_few_rows_is_not_judged(self):
        found = self.found(None, [0.0] * 20, rows=19)
        assert (found.is_cold, found.basis) == (True, "too few rows to tell")

    def test_it_can_be_switched_off(self):
        assert self.found(1.0, [0.0] * 4, null_share={"severity": "off"}) is None


class TestTypicalAmount:
    def found(self, typical, past, **checks):
        return gate(
            "typical_amount",
            measures(typical={"amount": typical}),
            History(values={"typical_amount": tuple(past)}),
            **checks,
        )

    @pytest.mark.parametrize(
        ("amount", "odd"), [(100, False), (50, False), (49.9, True), (200, False), (200.1, True)]
    )
    def test_it_may_double_or_halve(self, amount, odd):
        found = self.found(amount, [100] * 4)
        assert (found.usual, found.minimum, found.maximum) == (100, 50, 200)
        assert is_odd(found) is odd

    def test_batches_that_differ_much_widen_both_limits_alike(self):
        found = self.found(100, [50, 50, 100, 200, 200], amount={"deviations": 2})
        times = math.exp(2 * 1.4826 * math.log(2))
        assert found.minimum == pytest.approx(100 / times)
        assert found.maximum == pytest.approx(100 * times)

    @pytest.mark.parametrize(("known", "is_cold"), [(3, True), (4, False)])
    def test_too_few_batches_are_a_cold_start(self, known, is_cold):
        assert self.found(1e6, [100] * known).is_cold is is_cold

    def test_a_batch_without_amounts_is_not_judged(self):
        assert self.found(None, [100] * 4).is_cold

    def test_it_can_be_switched_off(self):
        assert self.found(1e6, [100] * 4, amount={"severity": "off"}) is None


class TestMix:
    def found(self, shares, past, rows=1000, **checks):
        return gate(
            "mix_of_channel",
            measures(rows, mixes={"channel": shares}),
            History(mixes={"mix_of_channel": tuple(past)}),
            **checks,
        )

    def test_the_index_is_that_of_the_textbook(self):
        index, cells = stability_index({"a": 0.9, "b": 0.1}, [{"a": 0.5, "b": 0.5}])
        assert index == pytest.approx(0.4 * math.log(1.8) - 0.4 * math.log(0.2))
        assert cells == 2

    def test_the_same_mix_has_none(self):
        assert self.found({"a": 0.5, "b": 0.5}, [{"a": 0.5, "b": 0.5}] * 4).observed == 0

    def test_it_is_compared_with_the_mean(self):
        past = [{"a": 0.25, "b": 0.75}, {"a": 0.75, "b": 0.25}] * 2
        assert self.found({"a": 0.5, "b": 0.5}, past).observed == pytest.approx(0)

    def test_the_limit_allows_for_what_chance_adds(self):
        past = [{"a": 0.5, "b": 0.25, "c": 0.25}] * 4
        assert self.found({"a": 1.0}, past, rows=1000).maximum == 0.25 + 2 / 1000
        assert self.found({"a": 1.0}, past, rows=20).maximum == 0.25 + 2 / 20

    @pytest.mark.parametrize(("share", "odd"), [(0.5, False), (0.72, False), (0.75, True)])
    def test_a_major_shift_is_odd(self, share, odd):
        # 0.72 gives 0.208, 0.75 gives 0.275
        assert is_odd(self.found({"a": share, "b": 1 - share}, [{"a": 0.5, "b": 0.5}] * 4)) is odd

    def test_a_renamed_code_is_odd(self):
        assert is_odd(self.found({"a": 0.8, "B": 0.2}, [{"a": 0.8, "b": 0.2}] * 4))

    def test_a_value_that_is_empty_now_is_odd(self):
        assert is_odd(self.found({"a": 0.5, "null": 0.5}, [{"a": 1.0}] * 4))

    def test_of_many_values_those_that_come_and_go_count_together(self):
        even = {str(n): 0.02 for n in range(50)}
        always = {str(n): 0.02 for n in range(10)}
        past = [
            always | {str(n): 0.02 for n in range(first, first + 10)} | {OTHER: 0.6}
            for first in (10, 20, 30, 40)
        ]
        index, cells = stability_index(even, past)
        assert index == pytest.approx(0)
        assert cells == 11
        assert stability_index(even | {"0": 0.32, "49": 0.0, "48": 0.0}, past)[0] > 0.25

    @pytest.mark.parametrize(("known", "is_cold"), [(3, True), (4, False)])
    def test_too_few_batches_are_a_cold_start(self, known, is_cold):
        assert self.found({"a": 1.0}, [{"b": 1.0}] * known).is_cold is is_cold

    def test_a_batch_of_few_rows_is_not_judged(self):
        assert self.found({}, [{"b": 1.0}] * 4, rows=19).is_cold

    def test_it_can_be_switched_off(self):
        assert self.found({"a": 1.0}, [{"b": 1.0}] * 4, categories={"severity": "off"}) is None


FULL = measures(
    1200,
    quarantined_share=0.45,
    newest=date(2026, 2, 23),
    null_shares={"customer_id": 0.45},
    typical={"amount": 512.3},
    mixes={"channel": {"a": 0.9, "b": 0.1}},
)
KNOWN = History(
    volumes=weeks_before(MONDAY, *[41000] * 12),
    values={"null_share_customer_id": (0.12,) * 20, "typical_amount": (51.23,) * 20},
    mixes={"mix_of_channel": ({"a": 0.5, "b": 0.5},) * 20},
)


def test_each_gate_is_explained_with_its_numbers():
    gates = batch_gates(BatchChecks(), FULL, KNOWN, NO_HOLIDAYS)
    assert all(is_odd(gate) for gate in gates)
    assert explain(gates) == [
        "freshness: 5 working days since the newest row (of 2026-02-23), at most 3",
        "volume: 1,200 rows, usual 41,000 (median of 12 Mondays), at least 20,500, at most 61,500",
        "quarantined_share: 45.0% rejected (of 1,200 rows), at most 20.0%",
        "null_share_customer_id: 45.0% empty, usual 12.0% (median of 20 batches), at most 22.0%",
        "typical_amount: 512.30, usual 51.23 (median of 20 batches), at least 25.61, at most 102.46",
        "mix_of_channel: 0.88 (against the mean of 20 batches), at most 0.25",
    ]


def test_every_gate_says_in_both_languages_what_it_protects_and_whose_it_is():
    gates = batch_gates(BatchChecks(), FULL, KNOWN, NO_HOLIDAYS)
    assert len(gates) == 6
    for found in gates:
        assert found.owner == "data engineering"
        assert found.protects_en.endswith(".")
        assert found.protects_zh.endswith("。")


def test_a_first_load_judges_only_what_needs_no_past():
    gates = batch_gates(BatchChecks(), replace(FULL, newest=MONDAY), History(), NO_HOLIDAYS)
    assert [found.name for found in gates if not found.is_cold] == ["freshness", "quarantined_share"]
