"""winback.yml: every mistake names file, key, what was found, what is allowed, and an example."""

import copy
from pathlib import Path

import pytest
import yaml

from winback import paths
from winback.config import load_settings
from winback.errors import WinbackError

GOOD = {
    "company": {"name_en": "Example", "name_zh": "示例"},
    "systems": {
        "erp": {"connector": "postgres", "connection": "erp", "time_zone": "Asia/Shanghai"},
        "desk": {"connector": "files", "folder": "/tmp/exports", "time_zone": "Asia/Shanghai"},
    },
    "feeds": {
        "orders": {
            "sources": [
                {
                    "source": "erp",
                    "table": "sales.orders",
                    "columns": {"order_id": "no", "ordered_at": "at", "amount": "amount"},
                }
            ]
        },
        "complaints": {
            "wait": True,
            "deadline": "07:30",
            "sources": [
                {
                    "source": "desk",
                    "files": "c_%Y-%m-%d.csv",
                    "columns": {
                        "complaint_id": "编号",
                        "opened_at": {"column": "时间", "format": "%Y/%m/%d"},
                    },
                }
            ],
        },
    },
}


def write(folder: Path, change) -> Path:
    data = copy.deepcopy(GOOD)
    change(data)
    file = folder / "winback.yml"
    file.write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8")
    return file


def refusal(file: Path) -> str:
    with pytest.raises(WinbackError) as caught:
        load_settings(file)
    message = str(caught.value)
    assert str(file) in message
    assert "What to do:" in message
    return message


def test_the_shipped_configuration_is_valid():
    settings = load_settings(paths.ROOT / "winback.yml")
    assert {"orders", "complaints", "customers"} <= set(settings.feeds)


def test_a_good_file_is_read_with_defaults(tmp_path):
    settings = load_settings(write(tmp_path, lambda data: None))
    assert settings.business.time_zone == "Asia/Shanghai"
    assert settings.feeds["orders"].sources[0].columns["order_id"].column == "no"


def test_a_missing_file_names_the_way_out(tmp_path):
    assert "WINBACK_CONFIG" in refusal(tmp_path / "nowhere.yml")


def test_broken_yaml_names_line_and_column(tmp_path):
    file = tmp_path / "winback.yml"
    file.write_text("company:\n  name_en: [unclosed\n", encoding="utf-8")
    assert "line 3, column 1" in refusal(file)


def test_an_empty_file_says_what_is_missing(tmp_path):
    file = tmp_path / "winback.yml"
    file.write_text("", encoding="utf-8")
    assert "company" in refusal(file)


def test_a_file_in_another_encoding_is_named(tmp_path):
    file = tmp_path / "winback.yml"
    file.write_bytes("company: {name_zh: 示例}".encode("gb18030"))
    assert "not UTF-8 at byte" in refusal(file)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda d: d["systems"]["erp"].update(time_zone="Asia/Peking"), ["systems.erp", "time_zone", "'Asia/Peking'", "example: time_zone: Asia/Shanghai"]),
        (lambda d: d["systems"]["erp"].update(connector="oracle"), ["systems.erp", "oracle", "postgres", "files"]),
        (lambda d: d["systems"]["erp"].update(conection="x"), ["systems.erp", "conection", "did you mean connection?", "allowed: connection, connector, time_zone"]),
        (lambda d: d["feeds"].update(order={"sources": d["feeds"]["orders"]["sources"]}), ["feeds.order", "did you mean orders"]),
        (lambda d: d["feeds"].pop("orders"), ["orders is missing"]),
        (lambda d: d["feeds"]["orders"]["sources"][0].update(source="epr"), ["no such system", "did you mean erp"]),
        (lambda d: d["feeds"]["orders"]["sources"][0]["columns"].update(ammount="x"), ["no column ammount", "did you mean amount"]),
        (lambda d: d["feeds"]["orders"]["sources"][0]["columns"].pop("amount"), ["required but not mapped: amount"]),
        (lambda d: d["feeds"]["orders"]["sources"][0].update(cursor="updated_at"), ["cursor 'updated_at' is not among the mapped columns"]),
        (lambda d: d["feeds"]["orders"]["sources"][0].update(lookback="three days"), ["lookback", "'three days'", "example: lookback: 3 days"]),
        (lambda d: d.update(bi={"contact_readers": ["crm_export", "public"]}), ["bi.contact_readers", "public stands for everybody who reads marts"]),
        (lambda d: d["feeds"]["complaints"].update(deadline="25:00"), ["deadline", "'25:00'", "example: deadline: 07:30"]),
        (lambda d: d["feeds"]["complaints"]["sources"][0].update(table="x"), ["give one of: table, query, files"]),
        (lambda d: d["feeds"]["complaints"]["sources"][0].pop("files"), ["give one of: table, query, files"]),
        (lambda d: d.update(reports={"weekly_retention": {"recipients": [{"address": "nobody", "name": "N", "scope": "everything"}]}}), ["recipients.0.address", "'nobody'", "lin@example.com"]),
        (lambda d: d.update(reports={"weekly_retention": {"recipients": [{"address": "a@b", "name": "N", "scope": {}}]}}), ["exactly one of"]),
        (
            lambda d: d.update(
                mail={"recipient_domains": ["example.com"]},
                reports={"weekly_retention": {"recipients": [{"address": "a@Example.org", "name": "N", "scope": "everything"}]}},
            ),
            ["reports.weekly_retention.recipients.0.address", "example.org is not among mail.recipient_domains: example.com"],
        ),
        (lambda d: d.update(mail={"recipient_domains": ["@Example.com"]}), ["recipient_domains", "example.com"]),
        (lambda d: d.update(business={"default_business_line": "wholesale"}), ["'wholesale' is not among lines"]),
        (
            lambda d: d.update(business={"lines": {"all": "retail"}, "default_business_line": "all"}),
            ["'all' stands for all of them together"],
        ),
        (
            lambda d: d.update(business={"attributes": ["car_model", "region"]}),
            ["churn is broken down by region anyway"],
        ),
        (lambda d: d.update(schedules={"load": "daily"}), ["schedules.load", "'daily' is no cron line"]),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_key_and_an_example(tmp_path, change, words):
    message = refusal(write(tmp_path, change))
    for word in words:
        assert word in message, message


def test_several_mistakes_are_told_at_once(tmp_path):
    def change(data):
        data["systems"]["erp"]["time_zone"] = "Nowhere"
        data["feeds"]["complaints"]["deadline"] = "noon"

    assert "2 problems" in refusal(write(tmp_path, change))


def test_tasks_bring_their_answers_in_as_contacts(tmp_path):
    def change(data, tasks):
        data["tasks"] = tasks

    settings = load_settings(write(tmp_path, lambda data: change(data, {"returned": str(tmp_path / "back")})))
    without = load_settings(write(tmp_path, lambda data: change(data, None)))
    assert settings.systems["winback_tasks"].folder == tmp_path / "back" / "accepted"
    assert [source.source for source in settings.feeds["contacts"].sources] == ["winback_tasks"]
    shipped = load_settings(paths.ROOT / "winback.yml").feeds["contacts"]
    assert [source.source for source in shipped.sources] == ["erp", "winback_tasks"]
    assert settings.tasks.due_after.days == 7
    assert "winback_tasks" not in without.systems
