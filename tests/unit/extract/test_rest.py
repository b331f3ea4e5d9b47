"""HTTP services: where a secret goes, what a record becomes, how a moment is written."""

from datetime import UTC, datetime

import pytest

from winback.config import FeedSource, RestSystem
from winback.errors import WinbackError
from winback.extract import Window
from winback.extract.rest import flatten, has, moment_text, rest_records, value_at

SYSTEM = RestSystem(connector="rest", connection="desk", time_zone="Asia/Shanghai")


@pytest.mark.parametrize(
    ("record", "flat"),
    [
        ({"a": {"b": {"c": 1}, "d": None}}, {"a.b.c": "1", "a.d": None}),
        ({"a": {}}, {"a": None}),
        ({"a": []}, {"a": "[]"}),
        ({"a": [{"b": "中"}]}, {"a": '[{"b": "中"}]'}),
        ({"a": False, "b": "", "c": "0"}, {"a": "false", "b": "", "c": "0"}),
        ({}, {}),
    ],
)
def test_a_record_becomes_text_by_dotted_names(record, flat):
    assert flatten(record) == flat


@pytest.mark.parametrize(
    ("content", "path", "value", "is_there"),
    [
        ({"data": {"items": [1]}}, "data.items", [1], True),
        ({"data": None}, "data", None, True),
        ({"data": None}, "data.items", None, False),
        ({"data": [1]}, "data.items", None, False),
        ([1], ".", [1], True),
        ([1], "data", None, False),
        ({}, "data", None, False),
    ],
)
def test_a_path_leads_to_a_value_or_nowhere(content, path, value, is_there):
    assert value_at(content, path) == value
    assert has(content, path) is is_there


def test_a_moment_is_written_in_utc_and_never_later():
    moment = datetime(2026, 3, 1, 16, 0, 0, 999_999, tzinfo=UTC)
    assert moment_text(moment, "epoch") == "1772380800"
    assert moment_text(moment, "iso") == "2026-03-01T16:00:00Z"


def test_a_window_by_a_constant_is_refused():
    columns = {"complaint_id": "id", "opened_at": {"constant": "2026-01-01"}}
    source = FeedSource(source="desk", endpoint={"path": "/tickets", "records": "tickets"}, columns=columns)
    with pytest.raises(WinbackError, match="desk: the cursor opened_at is not read from the records"):
        rest_records(SYSTEM, source, Window("opened_at", None, datetime(2026, 1, 1, tzinfo=UTC)))
