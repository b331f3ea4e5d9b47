"""Write docs/definitions.md from the docs blocks, so that every word is said once."""

import re

from winback import paths

TARGET = paths.ROOT / "docs" / "definitions.md"
SOURCE = paths.DBT_PROJECT / "models" / "definitions.md"
_BLOCK = re.compile(r"{% docs (\w+) %}\n(.*?)\n{% enddocs %}", re.DOTALL)


def definitions_page() -> str:
    """Return the page: each word in English and in Chinese."""
    blocks = dict(_BLOCK.findall(SOURCE.read_text(encoding="utf-8")))
    words = [name for name in blocks if not name.endswith("_zh")]
    parts = [
        "# Definitions · 指标定义\n\n"
        "Made by `make docs` from `dbt_project/models/definitions.md`, the one home of these words:\n"
        "column comments in the warehouse and the glossary of the e-mails quote the same blocks. Rules and\n"
        "thresholds are rows in `dbt_project/seeds`.\n"
    ]
    parts += [
        f"## {word.replace('_', ' ')}\n\n{blocks[word]}\n\n{blocks.get(f'{word}_zh', '')}".rstrip() + "\n"
        for word in words
    ]
    return "\n".join(parts)


if __name__ == "__main__":
    TARGET.write_text(definitions_page(), encoding="utf-8")
