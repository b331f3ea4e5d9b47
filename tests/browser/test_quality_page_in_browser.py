"""The page about data quality as a browser shows it: on a phone and on a desk, by day and by night."""

import os
from datetime import date
from pathlib import Path

import pytest

from tests.browser.test_mail_in_browser import Browser, browser, chromium, framed, measure
from tests.unit.report import quality_samples as samples

__all__ = ["browser", "chromium"]  # fixtures

PHONE, DESK = 390, 1100


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_fits_and_can_be_read(browser: Browser, language: str, width: int, is_dark: bool) -> None:
    page = samples.page(samples.everything(), language, date(2026, 2, 28)).replace(
        "<details>", "<details open>"
    )
    seen = measure(browser, page, width, is_dark)
    assert seen["is_dark"] == is_dark
    assert len(seen["texts"]) > 150
    assert max(text["right"] for text in seen["texts"]) <= seen["width"] == width
    assert seen["scroll_width"] <= width
    assert [text for text in seen["texts"] if text["contrast"] < 4.5] == []
    assert [text for text in seen["texts"] if text["size"] < 12] == []

    if kept := os.environ.get("WINBACK_SCREENSHOTS"):
        theme = "dark" if is_dark else "light"
        picture = Path(kept).absolute() / f"quality_{language}_{width}_{theme}.png"
        window = f"--window-size={max(width, 500)},{seen['height']}"
        browser.run(framed(page, width, seen["height"]), window, f"--screenshot={picture}", is_dark=is_dark)


@pytest.mark.parametrize("text", ["王" * 2_000, "x" * 2_000])
def test_long_names_do_not_widen_the_page(browser: Browser, text: str) -> None:
    long = samples.evidence(
        feeds=(samples.feed(source_id=text),),
        checks=(samples.check(expectation=text, owner=text, protects_en=text),),
        incidents=(samples.incident(problem=text, what_to_do=text),),
        waiting=(samples.reason(reason=text, examples=[{"quarantine_id": 1, "shapes": [(text, text)]}]),),
    )
    seen = measure(browser, samples.page(long), PHONE)
    assert seen["scroll_width"] <= PHONE
    assert max(found["right"] for found in seen["texts"]) <= PHONE
