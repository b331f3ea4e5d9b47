"""What a tool may be configured to get: known columns of known lists, contact details only if it says so."""

from typing import Any

import pytest
from pydantic import ValidationError

from winback import paths
from winback.config_exports import ExportConfig
from winback.export.lists import COMMON, PERSONAL, export_lists

GOOD = {"list": "call_list", "to": {"csv": "/srv/in"}, "columns": ["customer_id", "reason"]}


def test_a_good_export_is_read_with_defaults() -> None:
    export = ExportConfig.model_validate(GOOD)
    assert export.columns == {"customer_id": "customer_id", "reason": "reason"}
    assert export.scope.everything
    assert not export.personal


def test_a_webhook_may_be_named_alone() -> None:
    export = ExportConfig.model_validate(GOOD | {"to": {"webhook": "sms_tool"}})
    assert export.to.webhook is not None
    assert export.to.webhook.connection == "sms_tool"
    assert str(export.to) == "webhook sms_tool"


def test_contact_details_go_to_whom_they_are_granted() -> None:
    columns = {"name": "姓名", "phone": "mobile", "email": "mail"}
    assert ExportConfig.model_validate(GOOD | {"columns": columns, "personal": True}).columns == columns


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"list": "customers"}, ["no such list customers", "allowed: call_list, campaign, care, tasks"]),
        ({"columns": ["customer_id", "birthday"]}, ["call_list has no birthday", "allowed: customer_key"]),
        ({"columns": ["task_id"]}, ["call_list has no task_id"]),
        ({"columns": []}, ["columns"]),
        ({"columns": ["reason", "reason"]}, ["named twice"]),
        ({"columns": {"reason": "x", "evidence": "x"}}, ["called the same"]),
        ({"columns": ["phone", "email"]}, ["phone, email tell who somebody is", "personal: true"]),
        ({"list": "care"}, ["care tells birthdays", "personal: true"]),
        ({"to": {"csv": "/a", "xlsx": "/b"}}, ["exactly one of: csv, xlsx, webhook"]),
        ({"to": {}}, ["exactly one of"]),
        ({"to": {"webhook": {"connection": "x", "batch_size": 0}}}, ["batch_size"]),
        ({"scope": {}}, ["exactly one of: everything"]),
    ],
)
def test_what_no_tool_may_get_is_refused(change: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        ExportConfig.model_validate(GOOD | change)
    assert [word for word in words if word not in str(caught.value)] == []


def test_lists_have_queries_and_columns_of_their_own() -> None:
    lists = export_lists()
    assert set(lists) == {"call_list", "campaign", "care", "tasks"}
    for listed in lists.values():
        assert (paths.REPORTS / listed.query).is_file()
        assert set(listed.columns).isdisjoint({**COMMON, **PERSONAL})


def test_only_care_reaches_a_control_group() -> None:
    assert [name for name, listed in export_lists().items() if "control" not in listed.spared_arms] == [
        "care"
    ]
    assert set(export_lists()["call_list"].spared_arms) == {"treated", "control"}
