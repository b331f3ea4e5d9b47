"""A report's templates in the reader's language."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from winback.report.language import read_words
from winback.report.scope import Language

SHARED = "shared"  # folder beside the reports' own: templates that several of them include


@cache
def read_templates(folder: Path, language: Language) -> Environment:
    """Return a folder's templates in one language; those of markup escape what they show."""
    environment = Environment(
        loader=FileSystemLoader([folder, folder.parent / SHARED]),
        autoescape=lambda name: name is not None and (".mjml" in name or ".html" in name),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    words = read_words(folder, language)
    environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["dial"] = lambda phone: re.sub(r"[^\d+]", "", phone)
    environment.globals["between_sentences"] = "" if language == "zh" else " "
    return environment


def render_sentences(templates: Environment, context: Mapping[str, Any]) -> dict[str, str]:
    """Render each block of `sentences.txt.j2`, on one line; a line break there ends a sentence."""
    template = templates.get_template("sentences.txt.j2")
    sentences = {}
    for name, block in template.blocks.items():
        lines = "".join(block(template.new_context(dict(context)))).splitlines()
        spoken = [line.strip() for line in lines if line.strip()]
        sentences[name] = str(templates.globals["between_sentences"]).join(spoken)
    return sentences
