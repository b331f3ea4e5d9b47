"""Write docs/definitions.md from the docs blocks, so that every word is said once."""

import re
from pathlib import Path

from winback import paths
from winback.rules.seeds import read_signals

TARGET = paths.ROOT / "docs" / "definitions.md"
SOURCE = paths.DBT_PROJECT / "models" / "definitions.md"
SIGNALS = paths.DBT_PROJECT / "models" / "intermediate" / "_intermediate__docs.md"
_BLOCK = re.compile(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", re.DOTALL)


def definitions_page() -> str:
    """Return the page: each word in English and in Chinese, and then what rules may watch."""
    parts = [
        "# Definitions · 指标定义\n\n"
        "Made by `make docs` from `dbt_project/models/definitions.md`, the one home of these words:\n"
        "column comments in the warehouse and the glossary of the e-mails quote the same blocks. Rules and\n"
        "thresholds are rows in `dbt_project/seeds`.\n"
    ]
    words = _blocks(SOURCE)
    parts += [_entry(word.replace("_", " "), word, words) for word in words if not word.endswith("_zh")]
    parts.append(
        "# Signals · 信号\n\n"
        "What a churn rule may watch (`docs/how-to/add-a-rule.md`); each is a column of `int_signals`.\n"
    )
    signals = _blocks(SIGNALS)
    parts += [_entry(f"`{signal}`", signal, signals) for signal in read_signals()]
    return "\n".join(parts)


def _blocks(file: Path) -> dict[str, str]:
    return dict(_BLOCK.findall(file.read_text(encoding="utf-8")))


def _entry(title: str, word: str, blocks: dict[str, str]) -> str:
    return f"## {title}\n\n{blocks[word]}\n\n{blocks.get(f'{word}_zh', '')}".rstrip() + "\n"


if __name__ == "__main__":
    TARGET.write_text(definitions_page(), encoding="utf-8")
