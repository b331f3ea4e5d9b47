"""Files and rows that come late or out of order: the end is as if they had come in time."""

import psycopg
import pytest

from tests.company import DAY, days_after
from tests.sources import change_source, give_source, run_in_erp
from winback.errors import WinbackError
from winback.load import load_feed
from winback.load import source as source_module
from winback.load.commit import BatchCounts

pytestmark = pytest.mark.usefixtures("quick_checks")

MANAGERS = {
    "source": "desk",
    "files": "managers_%Y-%m-%d.csv",
    "columns": {"account_manager_id": "id", "name": "name"},
}


def order_numbers(query) -> list[str]:
    return [number for (number,) in query("select order_id from raw.orders order by 1")]


def write_managers(company, name: str, *lines: str) -> None:
    (company.folder / name).write_text("\n".join(["id,name", *lines]) + "\n", encoding="utf-8")


# Late commits


def test_a_transaction_that_commits_ten_minutes_after_its_stamp_is_not_missed(company, query):
    with psycopg.connect(company.erp_url) as open_for_long:
        open_for_long.execute(
            "insert into orders values ('A1', '2026-03-02 23:45', 5, 'C1', '2026-03-02 23:45')"
        )
        company.sell(("A2", "2026-03-02 23:55", 5, "C1", "2026-03-02 23:55"))
        load_feed(company.settings, "orders", DAY)
        assert order_numbers(query) == ["A2"]
    load_feed(company.settings, "orders", days_after(1))
    assert order_numbers(query) == ["A1", "A2"]


def test_the_same_day_again_finds_what_has_committed_since(company, query):
    company.sell(("A2", "2026-03-02 23:55", 5, "C1", "2026-03-02 23:55"))
    load_feed(company.settings, "orders", DAY)
    company.sell(("A1", "2026-03-02 23:45", 5, "C1", "2026-03-02 23:45"))
    load_feed(company.settings, "orders", DAY)
    assert order_numbers(query) == ["A1", "A2"]


@pytest.mark.parametrize(
    ("lookback", "stamp", "is_found"),
    [
        ("0 seconds", "2026-03-02 23:55:00", True),  # a tie with the watermark is read again
        ("0 seconds", "2026-03-02 23:54:59.999999", False),
        ("1 second", "2026-03-02 23:54:59", True),
        ("10 minutes", "2026-03-02 23:45:00", True),
        ("10 minutes", "2026-03-02 23:44:59.999999", False),
        ("1 day", "2026-03-01 23:55:00", True),
        ("1 day", "2026-03-01 23:54:59.999999", False),
    ],
)
def test_the_lookback_reaches_exactly_so_far(company, query, lookback, stamp, is_found):
    change_source(company, "orders", lookback=lookback)
    company.sell(("A2", "2026-03-02 23:55", 5, "C1", "2026-03-02 23:55"))
    load_feed(company.settings, "orders", DAY)
    company.sell(("A1", stamp, 5, "C1", stamp))
    load_feed(company.settings, "orders", days_after(1))
    assert order_numbers(query) == (["A1", "A2"] if is_found else ["A2"])


def test_rows_without_a_stamp_are_always_read(company, query):
    company.sell(("A1", "2026-03-02 10:00", 5, "C1", None), ("A2", "2026-03-02 10:00", 5, "C1", "2026-03-02"))
    assert load_feed(company.settings, "orders", DAY).counts.rows_inserted == 2
    company.sell(("A0", "2026-02-01 10:00", 5, "C1", None), ("A1", "2026-03-02 10:00", 7, "C1", None))
    counts = load_feed(company.settings, "orders", days_after(5)).counts
    assert (counts.rows_inserted, counts.rows_updated) == (1, 1)
    assert query("select order_id, amount from raw.orders order by 1") == [("A0", 5), ("A1", 7), ("A2", 5)]


def test_a_stamp_beats_none_and_the_same_stamp_the_earlier_load(company, query):
    company.sell(("A1", "2026-03-02 10:00", 1, "C1", None))
    load_feed(company.settings, "orders", DAY)
    for number, amount in enumerate((2, 3), 1):
        company.sell(("A1", "2026-03-02 10:00", amount, "C1", "2026-03-02 11:00"))
        load_feed(company.settings, "orders", days_after(number))
        assert query("select amount from raw.orders") == [(amount,)]


# Files out of order


def test_a_late_file_does_not_change_what_a_later_one_has_confirmed(company, query):
    """The third day's file says what the first said, so its rows were left as they were."""
    give_source(company, "account_managers", **MANAGERS)
    write_managers(company, "managers_2026-03-02.csv", "M1,Zhao")
    load_feed(company.settings, "account_managers", DAY)
    write_managers(company, "managers_2026-03-04.csv", "M1,Zhao", "M2,Qian")
    load_feed(company.settings, "account_managers", days_after(2))
    write_managers(company, "managers_2026-03-03.csv", "M1,Sun")
    load_feed(company.settings, "account_managers", days_after(2))
    assert query("select name from raw.account_managers where account_manager_id = 'M1'") == [("Zhao",)]
    versions = query(
        "select valid_from::text, name from raw.account_managers_versions"
        " where account_manager_id = 'M1' order by valid_from"
    )
    assert versions == [("-infinity", "Zhao"), ("2026-03-03", "Sun"), ("2026-03-04", "Zhao")]
    # And the same again for an older day: nothing is due any more.
    assert load_feed(company.settings, "account_managers", days_after(2)).batches == 0
    assert load_feed(company.settings, "account_managers", DAY).batches == 0


def test_a_late_file_that_is_loaded_by_its_own_day_does_not_either(company, query):
    give_source(company, "account_managers", **MANAGERS)
    write_managers(company, "managers_2026-03-02.csv", "M1,Zhao")
    write_managers(company, "managers_2026-03-04.csv", "M1,Zhao", "M2,Qian")
    load_feed(company.settings, "account_managers", days_after(2))
    write_managers(company, "managers_2026-03-03.csv", "M1,Sun")
    write_managers(company, "managers_2026-03-05.csv", "M1,Li")  # not due yet
    load_feed(company.settings, "account_managers", days_after(1))
    assert query("select name from raw.account_managers where account_manager_id = 'M1'") == [("Zhao",)]


def test_a_late_file_with_all_keys_deletes_nothing_that_a_later_one_has(company, query):
    deletes = {"missing_keys": True, "at_most": 0.5}
    give_source(company, "account_managers", **MANAGERS, deletes=deletes)
    write_managers(company, "managers_2026-03-02.csv", "M1,Zhao", "M2,Qian")
    load_feed(company.settings, "account_managers", DAY)
    write_managers(company, "managers_2026-03-04.csv", "M1,Zhao", "M2,Qian ")
    load_feed(company.settings, "account_managers", days_after(2))
    write_managers(company, "managers_2026-03-03.csv", "M1,Zhao", "M3,Sun")
    load_feed(company.settings, "account_managers", days_after(2))
    assert query("select account_manager_id, deleted_on from raw.account_managers order by 1") == [
        ("M1", None),
        ("M2", None),
        ("M3", days_after(2)),
    ]


def test_a_load_that_dies_between_a_late_file_and_the_later_ones_goes_on_there(company, query, monkeypatch):
    give_source(company, "account_managers", **MANAGERS)
    write_managers(company, "managers_2026-03-02.csv", "M1,Zhao")
    load_feed(company.settings, "account_managers", DAY)
    write_managers(company, "managers_2026-03-04.csv", "M1,Zhao", "M2,Qian")
    load_feed(company.settings, "account_managers", days_after(2))
    write_managers(company, "managers_2026-03-03.csv", "M1,Sun")
    with monkeypatch.context() as patch:
        patch.setattr(source_module, "open_file", dies_on(company, "managers_2026-03-04.csv"))
        with pytest.raises(KeyboardInterrupt):
            load_feed(company.settings, "account_managers", days_after(2))
    assert query("select name from raw.account_managers where account_manager_id = 'M1'") == [("Sun",)]
    load_feed(company.settings, "account_managers", days_after(2))
    assert query("select name from raw.account_managers where account_manager_id = 'M1'") == [("Zhao",)]


def dies_on(company, name: str):
    """Return a way to open files that ends the process at one of them."""
    real = source_module.open_file

    def opened(path, *rest):
        if path.name == name:
            raise KeyboardInterrupt
        return real(path, *rest)

    return opened


def test_bad_rows_of_a_file_that_is_loaded_again_are_set_aside_once(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,处理中,")
    company.complain(days_after(2), "T1,2026-03-02 10:00,C1,不明,", "T2,2026-03-04 10:00,C1,处理中,")
    load_feed(company.settings, "complaints", days_after(2))
    company.complain(days_after(1), "T1,2026-03-02 10:00,C1,已结案,")
    again = load_feed(company.settings, "complaints", days_after(2))
    # The late file changes a row; the later file comes once more, and its good row is as it was.
    assert again.batches == 2
    assert again.counts == BatchCounts(rows_in=3, rows_updated=1, rows_unchanged=1, rows_quarantined=1)
    assert query("select count(*) from quarantine.complaints") == [(1,)]
    assert query("select complaint_id, status from raw.complaints order by 1") == [
        ("T1", "已结案"),
        ("T2", "处理中"),
    ]


def test_a_late_file_that_changes_no_row_lets_the_later_ones_be(company):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,处理中,")
    company.complain(days_after(2), "T2,2026-03-04 10:00,C1,处理中,")
    load_feed(company.settings, "complaints", days_after(2))
    company.complain(days_after(1), "T2,2026-03-02 10:00,C1,已结案,", "T3,2026-03-03 10:00,C1,处理中,")
    again = load_feed(company.settings, "complaints", days_after(2))
    assert again.batches == 1
    assert again.counts == BatchCounts(rows_in=2, rows_inserted=1, rows_superseded=1)


def test_days_that_sort_otherwise_than_names_are_loaded_by_day(company, query):
    give_source(company, "account_managers", **{**MANAGERS, "files": "managers_%d-%m-%Y.csv"})
    write_managers(company, "managers_28-02-2026.csv", "M1,Zhao")
    write_managers(company, "managers_01-03-2026.csv", "M1,Sun")
    load_feed(company.settings, "account_managers", DAY)
    assert query("select name, business_day::text from raw.account_managers") == [("Sun", "2026-03-01")]


def test_an_undated_file_shows_the_present_whatever_day_is_loaded(company, query):
    give_source(company, "account_managers", **{**MANAGERS, "files": "managers.csv"})
    write_managers(company, "managers.csv", "M1,Zhao")
    load_feed(company.settings, "account_managers", days_after(5))
    write_managers(company, "managers.csv", "M1,Sun")
    load_feed(company.settings, "account_managers", days_after(3))
    assert query("select name from raw.account_managers") == [("Sun",)]


def test_a_file_that_is_again_what_it_was_is_loaded_again(company, query):
    give_source(company, "account_managers", **{**MANAGERS, "files": "managers.csv"})
    for number, (name, batches) in enumerate((("Zhao", 1), ("Sun", 1), ("Zhao", 1), ("Zhao", 0), ("Sun", 1))):
        write_managers(company, "managers.csv", f"M1,{name}")
        assert load_feed(company.settings, "account_managers", days_after(number)).batches == batches
        assert query("select name from raw.account_managers") == [(name,)]


def test_a_changed_lookup_file_is_joined_to_every_day_again(company, query):
    give_source(
        company,
        "orders",
        source="desk",
        files={"lines": "lines_%Y-%m-%d.csv", "shops": "shops.csv"},
        query="select lines.*, shops.region from lines left join shops on shops.shop = lines.shop",
        columns={"order_id": "no", "ordered_at": "at", "amount": "amount", "region_id": "region"},
    )
    for number in range(3):
        day = days_after(number)
        (company.folder / f"lines_{day}.csv").write_text(f"no,at,amount,shop\nA{number},{day} 10:00,1,S1\n")
    (company.folder / "shops.csv").write_text("shop,region\nS1,EAST\n")
    load_feed(company.settings, "orders", days_after(2))
    (company.folder / "shops.csv").write_text("shop,region\nS1,WEST\n")
    assert load_feed(company.settings, "orders", days_after(2)).counts.rows_updated == 3
    assert query("select distinct region_id from raw.orders") == [("WEST",)]
    assert load_feed(company.settings, "orders", days_after(2)).batches == 0


# Files that change


def test_a_file_that_is_written_while_it_is_read_is_refused(company, query, monkeypatch):
    file = company.complain(DAY, "T1,2026-03-02 10:00,C1,处理中,", "T2,2026-03-02 10:00,C1,处理中,")
    whole, real = file.read_bytes(), source_module.open_file

    def opened(path, *rest):
        path.write_bytes(
            whole[:-30].rsplit(b"\n", 1)[0] + b"\n"
        )  # the sender writes it anew, and is not done
        return real(path, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(source_module, "open_file", opened)
        with pytest.raises(WinbackError, match="changed while it was read"):
            load_feed(company.settings, "complaints", DAY)
    assert query("select count(*) from raw.complaints") == [(0,)]
    file.write_bytes(whole)
    assert load_feed(company.settings, "complaints", DAY).counts.rows_inserted == 2


def test_a_file_that_is_delivered_again_brings_what_it_lacked_and_changed(company, query):
    company.complain(DAY, "T1,2026-03-02 10:00,C1,处理中,", "T2,2026-03-02 10:00,C1,处理中,")
    load_feed(company.settings, "complaints", DAY)
    company.complain(DAY, "T2,2026-03-02 10:00,C1,已结案,5", "T3,2026-03-02 11:00,C1,处理中,")
    result = load_feed(company.settings, "complaints", DAY)
    assert result.counts == BatchCounts(rows_in=2, rows_inserted=1, rows_updated=1)
    assert query("select complaint_id, status from raw.complaints order by 1") == [
        ("T1", "处理中"),
        ("T2", "已结案"),
        ("T3", "处理中"),
    ]


def test_rows_of_the_source_that_are_read_again_are_not_written_again(company, query):
    """Not even where the whole table is read and no stamp tells what has changed."""
    run_in_erp(company, "alter table orders alter updated drop not null")
    change_source(company, "orders", cursor=None)
    company.sell(*((f"A{n}", "2026-03-02 10:00", n, None, None) for n in range(20)))
    load_feed(company.settings, "orders", DAY)
    before = query("select xmin::text, ctid::text, order_id from raw.orders order by order_id")
    for number in (1, 0, 5):
        assert load_feed(company.settings, "orders", days_after(number)).counts.rows_unchanged == 20
    assert query("select xmin::text, ctid::text, order_id from raw.orders order by order_id") == before
