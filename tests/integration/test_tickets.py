"""A ticket system over HTTP: every page once, patient with passing troubles, never endless, never leaking."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.company import DAY, ZONE
from tests.tickets import PASSWORD, TOKEN, TicketSystem, ticket_system
from winback.config import FeedSource, RestSystem, load_settings
from winback.errors import WinbackError
from winback.extract import Window
from winback.extract.rest import rest_records
from winback.extract.shaped import ShapedBatch, open_engine
from winback.feeds import FEEDS
from winback.load import load_feed

ZENDESK = {
    "path": "/incremental",
    "records": "tickets",
    "since": "start_time",
    "since_format": "epoch",
    "next_url": "after_url",
    "end": "end_of_stream",
}
PAGES = {"path": "/pages", "records": "tickets", "page_parameter": "page"}
COLUMNS = {
    "complaint_id": "id",
    "opened_at": "created_at",
    "updated_at": "updated_at",
    "channel": "via.channel",
    "satisfaction": "satisfaction_rating.score",
}


def ticket(number: int, **changes) -> dict:
    moment = "2026-03-02T01:00:00Z"
    return {"id": number, "created_at": moment, "updated_at": moment, "via": {"channel": "web"}, **changes}


@pytest.fixture
def desk(monkeypatch, tmp_path) -> Iterator[TicketSystem]:
    monkeypatch.setattr("winback.http_service.BACKOFF_SECONDS", 0.01)
    monkeypatch.setenv("WINBACK_STATE", str(tmp_path / "state"))
    with ticket_system() as system:
        system.tickets = [ticket(number) for number in range(1, 6)]
        monkeypatch.setenv("WINBACK_CONN_TEST_DESK", system.url())
        yield system


def system_of(**changes) -> RestSystem:
    return RestSystem(connector="rest", connection="test_desk", time_zone=ZONE, timeout="1 second", **changes)


def source_of(endpoint=None, **changes) -> FeedSource:
    columns = {"complaint_id": "id", "opened_at": "created_at", "updated_at": "updated_at"}
    return FeedSource(**{"source": "desk", "endpoint": endpoint or ZENDESK, "columns": columns, **changes})


def rows_of(folder, source=None, window=None, system=None) -> list[dict[str, str | None]]:
    records = rest_records(system or system_of(), source or source_of(), window)
    with open_engine(folder) as engine:
        found = engine.execute(f"select * from {records.relation(engine, folder)}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def numbers(*arguments, **words) -> list[str | None]:
    return [row["id"] for row in rows_of(*arguments, **words)]


def refusal(folder, source=None, system=None) -> str:
    with pytest.raises(WinbackError) as caught:
        rows_of(folder, source, system=system)
    message = str(caught.value)
    assert "What to do:" in message
    assert TOKEN not in message
    return message


# -- paging ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "pages"),
    [
        (ZENDESK, 3),
        ({k: v for k, v in ZENDESK.items() if k != "end"}, 4),  # ends at an empty page that leads to itself
        (PAGES, 4),
        ({**PAGES, "parameters": {"page": "2"}}, 3),
        (
            {
                "path": "/cursor",
                "records": "data.items",
                "next_cursor": "meta.after_cursor",
                "cursor_parameter": "page[after]",
            },
            3,
        ),
        ({"path": "/links", "records": "."}, 3),
    ],
)
def test_every_page_is_read_once(desk, tmp_path, endpoint, pages):
    first = 3 if "parameters" in endpoint else 1
    assert numbers(tmp_path, source_of(endpoint)) == [str(number) for number in range(first, 6)]
    assert len(desk.requests) == pages


def test_a_link_is_followed_on_the_stated_host_only(desk, tmp_path):
    desk.mishaps = ['json {"tickets": [], "after_url": "http://elsewhere.example.com/incremental?cursor=0"}']
    message = refusal(tmp_path)
    assert "another host, elsewhere.example.com" in message
    desk.mishaps = ['json {"tickets": [], "after_url": "https://127.0.0.1/incremental?cursor=2"}']
    assert numbers(tmp_path) == ["3", "4", "5"]  # a proxy's other scheme and port do not matter


def test_a_redirection_is_not_followed(desk, tmp_path):
    desk.mishaps = ["moved http://elsewhere.example.com/tickets?secret=1"]
    message = refusal(tmp_path)
    assert "answered 302, moved to http://elsewhere.example.com/tickets." in message


@pytest.mark.parametrize("endpoint", [ZENDESK, PAGES])
def test_a_server_that_repeats_itself_is_no_endless_load(desk, tmp_path, endpoint):
    again = json.dumps({"tickets": [ticket(1)], "after_url": f"http://{desk.address}/incremental?cursor=0"})
    desk.mishaps = [f"json {again}"] * 9
    assert "the pages never end" in refusal(tmp_path, source_of(endpoint))
    assert len(desk.requests) <= 3


def test_a_ticket_that_changes_while_pages_are_read_comes_twice_the_newer_last(desk, tmp_path):
    desk.mishaps = ["ok", "change_a_ticket"]
    found = [(row["id"], row["status"]) for row in rows_of(tmp_path) if row["id"] == "1"]
    assert found == [("1", None), ("1", "solved")]


# -- incremental ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("endpoint", "after", "asked"),
    [
        ({}, datetime(2026, 3, 1, 16, tzinfo=UTC), "start_time=1772380800"),
        (
            {"since_format": "iso"},
            datetime(2026, 3, 1, 16, tzinfo=UTC),
            "start_time=2026-03-01T16%3A00%3A00Z",
        ),
        ({}, None, "start_time=0"),
        ({"parameters": {"start_time": "1"}}, None, "start_time=1"),
        ({"since_format": "iso"}, None, ""),
    ],
)
def test_the_server_is_asked_for_what_changed_since_the_window_began(desk, tmp_path, endpoint, after, asked):
    window = Window("updated_at", after, datetime(2027, 1, 1, tzinfo=UTC))
    desk.mishaps = ['json {"tickets": []}']
    assert rows_of(tmp_path, source_of({**ZENDESK, **endpoint}), window) == []
    assert desk.requests[0].partition("?")[2] == asked


@pytest.mark.parametrize(("and_unknown", "expected"), [(True, ["1", "3", "4"]), (False, ["1", "3"])])
def test_records_after_the_window_wait_for_their_own_day(desk, tmp_path, and_unknown, expected):
    # The end of 2 March in Shanghai; a moment without a zone is the system's.
    window = Window("updated_at", None, datetime(2026, 3, 2, 16, tzinfo=UTC), and_unknown)
    desk.tickets = [
        ticket(1, updated_at="2026-03-02T15:59:59Z"),
        ticket(2, updated_at="2026-03-02T16:00:00Z"),
        ticket(3, updated_at="2026-03-02 23:59:59"),
        ticket(4, updated_at=None),
    ]
    assert numbers(tmp_path, window=window) == expected


# -- records --------------------------------------------------------------------------------------------


def test_records_are_flattened_without_losing_a_digit(desk, tmp_path):
    desk.mishaps = [
        'json {"tickets": [{"id": 12345678901234567890, "price": 0.10, "big": 1e400,'
        ' "via": {"source": {"to": "客服"}}, "tags": ["退款", 2], "urgent": true,'
        ' "note": "a\\u0000b", "gone": null, "empty": {}},'
        ' {"id": 2, "ID": "two", "late": "x"}], "end_of_stream": true}'
    ]
    first, second = rows_of(tmp_path)
    assert first == {
        "id": "12345678901234567890",
        "price": "0.10",
        "big": "1e400",
        "via.source.to": "客服",
        "tags": '["退款", 2]',
        "urgent": "true",
        "note": "ab",
        "gone": None,
        "empty": None,
        "ID_2": None,
        "late": None,
    }
    assert {name: value for name, value in second.items() if value} == {"id": "2", "ID_2": "two", "late": "x"}


def chunks_of(**changes) -> str:
    source = source_of(columns=COLUMNS, **changes)
    records = rest_records(system_of(), source, None)
    batch = ShapedBatch(FEEDS["complaints"], source, ZONE, {"rows": records})
    return b"".join(bytes(chunk) for chunk in batch.chunks()).decode()


def test_no_record_at_all_is_an_empty_batch(desk):
    desk.tickets = []
    assert chunks_of() == ""
    assert (
        chunks_of(
            query='select *, id || "via.channel" as x from rows',
            deletes={"column": "status", "values": ["deleted"]},
        )
        == ""
    )


def test_what_nobody_has_filled_yet_is_null_and_what_nobody_knows_is_an_error(desk):
    desk.tickets = [ticket(1, satisfaction_rating=None)]
    assert chunks_of().count("\n") == 1
    desk.tickets = [ticket(1)]
    with pytest.raises(
        WinbackError, match=r"no column 'satisfaction_rating.score' \(wanted for satisfaction\)"
    ):
        chunks_of()


def test_a_query_shapes_the_records(desk):
    columns = 'id, created_at, updated_at, "via.channel", null as "satisfaction_rating.score"'
    query = f"select {columns} from rows where id < '3'"
    assert chunks_of(query=query).count("\n") == 2


# -- secrets --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("secret", "system"),
    [
        (f":{TOKEN}", {}),
        (f":{TOKEN}", {"token_header": "X-Api-Key"}),
        ("mei%40example.com:s3cret%3Apass", {}),
    ],
)
def test_the_secret_is_sent_the_way_that_the_service_wants(desk, tmp_path, monkeypatch, secret, system):
    monkeypatch.setenv("WINBACK_CONN_TEST_DESK", desk.url(secret))
    assert len(rows_of(tmp_path, system=system_of(**system))) == 5
    assert all(PASSWORD not in path and TOKEN not in path for path in desk.requests)


def test_a_netrc_file_does_not_replace_the_secret(desk, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert len(rows_of(tmp_path)) == 5


# -- troubles that pass ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mishaps",
    [
        ["status 429 1"],
        ["status 503 1"],
        ["status 500", "status 500"],
        ["ok", "status 502", "cut"],
        ["cut", "cut"],
        ["hang_up"],
        ["never"],
    ],
)
def test_a_passing_trouble_costs_time_only(desk, tmp_path, mishaps):
    desk.mishaps = list(mishaps)
    assert numbers(tmp_path) == ["1", "2", "3", "4", "5"]
    assert len(desk.requests) == 3 + len(mishaps) - mishaps.count("ok")


def test_the_server_says_how_long_to_wait(desk, tmp_path, monkeypatch):
    pauses = []
    monkeypatch.setattr("urllib3.util.retry.time.sleep", pauses.append)
    desk.mishaps = ["status 429 17"]
    rows_of(tmp_path)
    assert pauses == [17]


# -- troubles that stay ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mishap", "said", "requests"),
    [
        ("status 401", "answered 401, the secret is not accepted.*[\\s\\S]*connection test_desk", 1),
        ("status 403", "answered 403, the secret does not allow this", 1),
        ("status 400", "answered 400, an unexpected status", 1),
        ("status 429 0", r"answered 429, too many requests \(asked 3 times\)", 3),
        ("status 500", r"answered 500, an error of its own \(asked 3 times\)", 3),
        ("html", "the answer is no JSON but text/html", 1),
        ("cut", "the answer broke off", 3),
        ("hang_up", "the server cannot be reached", 3),
        ("never", "no answer within 1 seconds", 3),
        ("trickle", "the answer was not complete after 1 seconds", 1),
        ('json {"data": [], "count": 0}', "the answer has no 'tickets'. It has: count, data", 1),
        ("json []", "the answer has no 'tickets'. It is a list", 1),
        ('json {"tickets": {"id": 1}}', "'tickets' is no list of objects", 1),
        ('json {"tickets": [1]}', "'tickets' is no list of objects", 1),
        ('json {"tickets": [', "the answer is no JSON but application/json", 1),
    ],
)
def test_a_trouble_that_stays_is_named(desk, tmp_path, mishap, said, requests):
    desk.mishaps = [mishap] * 9
    message = refusal(tmp_path, system=system_of(attempts=3))
    assert f"desk: {desk.address} /incremental: " in message
    assert re.search(said, message)
    assert len(desk.requests) == requests


def test_a_path_that_is_not_there_is_named(desk, tmp_path):
    assert "answered 404, no such path" in refusal(tmp_path, source_of({**ZENDESK, "path": "/nothing"}))


def test_a_server_that_is_not_there_is_named(desk, tmp_path, monkeypatch):
    monkeypatch.setenv("WINBACK_CONN_TEST_DESK", f"http://:{TOKEN}@127.0.0.1:1")
    assert "127.0.0.1:1 /incremental: the server cannot be reached" in refusal(tmp_path)


def test_a_server_without_tls_is_named(desk, tmp_path, monkeypatch):
    monkeypatch.setenv("WINBACK_CONN_TEST_DESK", desk.url().replace("http:", "https:"))
    assert "cannot be reached" in refusal(tmp_path) or "certificate" in refusal(tmp_path)


# -- the whole way --------------------------------------------------------------------------------------


def test_tickets_are_loaded_as_complaints(desk, warehouse, query, tmp_path):
    desk.tickets[4] = ticket(5, updated_at="2026-03-03T01:00:00Z")
    desk.mishaps = ["ok", "change_a_ticket"]
    source = {"source": "desk", "endpoint": ZENDESK, "cursor": "updated_at"}
    columns = {
        "complaint_id": "id",
        "opened_at": "created_at",
        "updated_at": "updated_at",
        "channel": "via.channel",
    }
    orders = {"order_id": "no", "ordered_at": "at", "amount": "amount"}
    config = {
        "company": {"name_en": "Test", "name_zh": "测试"},
        "systems": {
            "desk": {"connector": "rest", "connection": "test_desk", "time_zone": ZONE},
            "files": {"connector": "files", "folder": str(tmp_path), "time_zone": ZONE},
        },
        "feeds": {
            "orders": {"sources": [{"source": "files", "files": "orders.csv", "columns": orders}]},
            "complaints": {"sources": [{**source, "columns": columns}]},
        },
    }
    (tmp_path / "winback.yml").write_text(json.dumps(config), encoding="utf-8")
    result = load_feed(load_settings(tmp_path / "winback.yml"), "complaints", DAY)
    assert (result.counts.rows_inserted, result.counts.rows_superseded) == (4, 1)
    found = query(
        "select source_id, complaint_id, opened_at, channel from raw.complaints where complaint_id = '1'"
    )
    assert found == [("desk", "1", datetime(2026, 3, 2, 1, tzinfo=UTC), "web")]
