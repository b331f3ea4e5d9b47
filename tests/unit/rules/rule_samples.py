"""A rule of a company, to be changed cell by cell."""

import csv
import io

LINES = {"shops": "retail"}
RULE = {
    "policy": "retail",
    "rule_id": "own",
    "valid_from": "2026-01-01",
    "signal": "days_since_last_order",
    "comparator": ">=",
    "threshold": "45",
    "outcome": "watch",
    "action": "call",
    "enabled": "true",
    "label_zh": "久未购买",
    "label_en": "No purchase for a while",
    "source": "default",
}


def as_csv(*rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()
