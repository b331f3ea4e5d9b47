"""A small company for tests: an ERP database, a folder of complaint files, and their configuration."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import yaml

from winback.config import Settings, load_settings

DAY = date(2026, 3, 2)
ZONE = "Asia/Shanghai"


@dataclass
class Company:
    """One company whose systems a test may write to."""

    erp_url: str
    folder: Path
    settings: Settings

    def sell(self, *rows: tuple[Any, ...]) -> None:
        """Insert orders: number, moment (local), amount, customer, updated (local); newer ones replace."""
        with psycopg.connect(self.erp_url) as connection:
            connection.cursor().executemany(
                "insert into orders values (%s, %s, %s, %s, %s) on conflict (no) do update set"
                " at = excluded.at, amount = excluded.amount, customer = excluded.customer,"
                " updated = excluded.updated",
                rows,
            )

    def complain(self, day: date, *lines: str, encoding: str = "gb18030") -> Path:
        """Drop a day's complaint file."""
        file = self.folder / f"投诉_{day:%Y-%m-%d}.csv"
        text = "\n".join(["编号,时间,客户,状态,满意度", *lines]) + "\n"
        file.write_bytes(text.encode(encoding))
        return file


def found_company(erp_url: str, tmp_path: Path, **changes: Any) -> Company:
    """Create the ERP's table, the folder and the configuration."""
    with psycopg.connect(erp_url) as connection:
        connection.execute(
            "create table orders (no text primary key, at timestamp, amount numeric, customer text,"
            " updated timestamp)"
        )
    folder = tmp_path / "complaints"
    folder.mkdir()
    config = {
        "company": {"name_en": "Test", "name_zh": "测试"},
        "business": {"time_zone": ZONE},
        "systems": {
            "erp": {"connector": "postgres", "connection": "test_erp", "time_zone": ZONE},
            "desk": {"connector": "files", "folder": str(folder), "time_zone": ZONE},
        },
        "feeds": {
            "orders": {
                "wait": True,
                "sources": [
                    {
                        "source": "erp",
                        "table": "orders",
                        "cursor": "updated_at",
                        "lookback": "1 day",
                        "columns": {
                            "order_id": "no",
                            "ordered_at": "at",
                            "amount": "amount",
                            "customer_id": "customer",
                            "updated_at": "updated",
                        },
                    }
                ],
            },
            "complaints": {
                "wait": True,
                "deadline": "07:30",
                "sources": [
                    {
                        "source": "desk",
                        "files": "投诉_%Y-%m-%d.csv",
                        "encoding": "gb18030",
                        "columns": {
                            "complaint_id": "编号",
                            "opened_at": "时间",
                            "customer_source_id": {"constant": "erp"},
                            "customer_id": "客户",
                            "status": "状态",
                            "satisfaction": "满意度",
                        },
                    }
                ],
            },
        },
        **changes,
    }
    file = tmp_path / "winback.yml"
    file.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    return Company(erp_url, folder, load_settings(file))


def days_after(days: int) -> date:
    """Return the test's business day, some days later."""
    return DAY + timedelta(days=days)
