"""What is wrong with a row of a rule file: where it stands, and what to write instead."""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing to mend; problems sort by file and line."""

    file: str
    line: int
    said: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.said}" if self.line else f"{self.file}: {self.said}"


def did_you_mean(found: str, allowed: Iterable[str]) -> str:
    """Return the end of a sentence about an unknown word: the closest allowed one, and all, if any."""
    allowed = list(allowed)
    if not allowed:
        return ""
    is_word = any(map(str.isalpha, found))
    close = difflib.get_close_matches(found.lower(), allowed, 1) if is_word else []
    guess = f"; did you mean {close[0]}?" if close else ";"
    return f"{guess} allowed: {', '.join(allowed)}"
