"""The words of a report, in the sentences that the warehouse's own documentation uses."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from winback import paths
from winback.errors import WinbackError
from winback.report.scope import Language

DEFINITIONS = paths.DBT_PROJECT / "models" / "definitions.md"

_BLOCK = re.compile(r"{%-?\s*docs\s+(\w+)\s*-?%}(.*?){%-?\s*enddocs\s*-?%}", re.DOTALL)
_MARKDOWN = re.compile(r"\*\*|__|`|^#+\s+|\[([^\]]*)\]\([^)]*\)", re.MULTILINE)


@dataclass(frozen=True)
class Term:
    """A word and what it means, in the reader's language."""

    label: str
    meaning: str


@cache
def read_definitions(source: Path = DEFINITIONS) -> Mapping[str, str]:
    """Return every docs block of a file, by name, as one line of plain text.

    Raises:
        WinbackError: the file is not there.
    """
    try:
        text = source.read_text(encoding="utf-8")
    except OSError as error:
        raise WinbackError(
            f"{source}: the definitions cannot be read ({error.strerror}).",
            "restore the file from the project",
        ) from None
    return {name: _plain(body) for name, body in _BLOCK.findall(text)}


def explain(labels: Mapping[str, str], definitions: Mapping[str, str], language: Language) -> list[Term]:
    """Return the meaning of each word (docs block to label); Chinese ones are in `<block>_zh`.

    Raises:
        WinbackError: a word is not defined in the reader's language.
    """
    suffix = "_zh" if language == "zh" else ""
    if missing := [name + suffix for name in labels if name + suffix not in definitions]:
        raise WinbackError(
            f"The definitions have no docs block: {', '.join(missing)}.",
            f"add {{% docs {missing[0]} %}} to {DEFINITIONS}, or take the word out of report.yml",
        )
    # the Chinese blocks begin with the word itself
    return [
        Term(label, definitions[name + suffix].removeprefix(f"{label}：")) for name, label in labels.items()
    ]


def _plain(markdown: str) -> str:
    """Return Markdown's text in one line; line breaks between Chinese characters leave no space."""
    text = _MARKDOWN.sub(r"\1", markdown).strip()
    text = re.sub(r"(?<=[^\x00-\xff])\s*\n\s*(?=[^\x00-\xff])", "", text)
    return " ".join(text.split())
