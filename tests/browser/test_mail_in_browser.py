"""The weekly mail as a browser shows it: on a phone and on a desk, by day and by night, in both languages.

WINBACK_SCREENSHOTS names a folder that keeps the pictures for somebody to look at.
"""

import html
import json
import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.unit.report import review_samples, samples
from winback.report.glossary import read_definitions
from winback.report.outbox import Outbox

PHONE, DESK = 375, 1200

# Runs in the page that holds a mail in a frame of a reader's width, and writes down what it measures.
MEASURE = """
const channel = value => value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
const luminance = ([r, g, b]) =>
  0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255)
const parse = color => color.match(/[\\d.]+/g).map(Number)
function background(view, element) {
  for (let at = element; at; at = at.parentElement) {
    const color = parse(view.getComputedStyle(at).backgroundColor)
    if (color.length === 3 || color[3] === 1) return color
  }
  return [255, 255, 255]
}
window.onload = () => {
  const frame = document.querySelector("iframe"), view = frame.contentWindow, page = frame.contentDocument
  const texts = [...page.body.querySelectorAll("*")].filter(element =>
    element.checkVisibility({opacityProperty: true, visibilityProperty: true}) &&
    [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()))
  const pairs = texts.map(element => {
    const one = luminance(parse(view.getComputedStyle(element).color))
    const two = luminance(background(view, element))
    return {
      text: element.textContent.trim().slice(0, 30),
      contrast: (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05),
      size: parseFloat(view.getComputedStyle(element).fontSize),
      right: element.getBoundingClientRect().right
    }
  })
  const result = {
    width: view.innerWidth,
    scroll_width: page.documentElement.scrollWidth,
    height: page.documentElement.scrollHeight,
    images: [...page.images].map(image => [image.complete, image.naturalWidth, image.clientWidth]),
    is_dark: view.matchMedia("(prefers-color-scheme: dark)").matches,
    texts: pairs
  }
  document.body.replaceChildren(document.createElement("pre"))
  document.body.firstChild.textContent = JSON.stringify(result)
}
"""


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not found:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    return found


class Browser:
    """A headless Chromium with Chinese glyphs, started anew for each page."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program, self.folder = program, folder
        fonts = Path(str(find_spec("mplfonts").origin)).parent / "fonts"  # type: ignore[union-attr]
        (folder / "fonts.conf").write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
            f"<dir>/usr/share/fonts</dir><dir>{fonts}</dir><cachedir>{folder}/fonts</cachedir></fontconfig>"
        )

    def run(self, page: str, *options: str, is_dark: bool = False) -> str:
        file = self.folder / "page.html"
        file.write_text(page, encoding="utf-8")
        command = [
            *(
                self.program,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--disable-quic",
                "--no-first-run",
            ),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *("--hide-scrollbars", f"--user-data-dir={self.folder / 'profile'}"),
            *(["--blink-settings=preferredColorScheme=0"] if is_dark else []),
            *options,
            file.as_uri(),
        ]
        environment = {**os.environ, "FONTCONFIG_FILE": str(self.folder / "fonts.conf")}
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=True, env=environment
        )
        return done.stdout


@pytest.fixture
def browser(chromium: str, tmp_path: Path) -> Browser:
    return Browser(chromium, tmp_path)


def mail_page(folder: Path, language: Any, **blocks: Any) -> str:
    """Return the mail's browser copy as the demo's inbox keeps it."""
    rows = samples.report_rows(language, **blocks)
    message = samples.message(language, rows, definitions=read_definitions())
    return Outbox(folder / "outbox").keep(message.as_bytes()).with_suffix(".html").read_text("utf-8")


def framed(page: str, width: int, height: int, script: str = "") -> str:
    """Return a page with a mail in a frame: the browser's own window cannot be as narrow as a phone."""
    return (
        f'<!doctype html><meta charset="utf-8"><script>{script}</script><body style="margin:0">'
        f'<iframe style="border:0;width:{width}px;height:{height}px" srcdoc="{html.escape(page)}"></iframe>'
    )


def measure(browser: Browser, page: str, width: int, is_dark: bool = False) -> dict[str, Any]:
    dom = browser.run(framed(page, width, 4000, MEASURE), "--dump-dom", is_dark=is_dark)
    found = re.search(r"<pre>({.*})</pre>", dom, re.DOTALL)
    assert found, dom[-500:]
    measured: dict[str, Any] = json.loads(html.unescape(found[1]))
    return measured


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_mail_fits_and_can_be_read(
    browser: Browser, tmp_path: Path, language: str, width: int, is_dark: bool
) -> None:
    page = mail_page(tmp_path, language)
    seen = measure(browser, page, width, is_dark)
    assert seen["width"] == width
    assert seen["is_dark"] == is_dark
    assert seen["scroll_width"] <= width
    assert len(seen["texts"]) > 100
    assert max(text["right"] for text in seen["texts"]) <= width
    assert [text for text in seen["texts"] if text["contrast"] < 4.5] == []
    assert [text for text in seen["texts"] if text["size"] < 12] == []
    assert len(seen["images"]) == 2
    assert all(image[:2] == [True, 1200] for image in seen["images"])
    assert all(image[2] >= min(width - 60, 590) for image in seen["images"])

    if kept := os.environ.get("WINBACK_SCREENSHOTS"):
        picture = Path(kept).absolute() / f"weekly_{language}_{width}_{'dark' if is_dark else 'light'}.png"
        window = f"--window-size={max(width, 500)},{seen['height']}"
        still = framed(page, width, seen["height"])
        browser.run(still, window, f"--screenshot={picture}", is_dark=is_dark)
        assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_quarterly_review_fits_and_can_be_read(
    browser: Browser, tmp_path: Path, language: Any, width: int, is_dark: bool
) -> None:
    kept = Outbox(tmp_path / "outbox").keep(review_samples.message(language).as_bytes())
    seen = measure(browser, kept.with_suffix(".html").read_text("utf-8"), width, is_dark)
    assert seen["scroll_width"] <= width
    assert len(seen["texts"]) > 100
    assert max(text["right"] for text in seen["texts"]) <= width
    assert [text for text in seen["texts"] if text["contrast"] < 4.5] == []
    assert [text for text in seen["texts"] if text["size"] < 12] == []
    assert len(seen["images"]) == 2


@pytest.mark.parametrize("text", ["王" * 10_000, "x" * 10_000, "</td></tr></table><h1>", "a@" * 5_000])
def test_long_and_hostile_names_do_not_widen_the_mail(browser: Browser, tmp_path: Path, text: str) -> None:
    hostile = dict.fromkeys(("name", "phone", "region", "reason", "evidence"), text)
    customers = [{**row, **hostile, "other_reasons": [text]} for row in samples.call_first("zh")]
    seen = measure(browser, mail_page(tmp_path, "zh", call_first=customers), PHONE)
    assert seen["scroll_width"] <= PHONE
    assert max(found["right"] for found in seen["texts"]) <= PHONE


def test_large_amounts_fit_on_a_phone(browser: Browser, tmp_path: Path) -> None:
    figures = [
        {**row, "value": samples.decimal("98765432109.5"), "change": samples.decimal("-8765432109.5")}
        for row in samples.figures()
        if row["name"] != "churn_rate"
    ]
    for language in ("zh", "en"):
        seen = measure(browser, mail_page(tmp_path, language, figures=figures), PHONE)
        assert seen["scroll_width"] <= PHONE, language


def test_a_week_without_anything_fits_too(browser: Browser, tmp_path: Path) -> None:
    empty: dict[str, Any] = {name: [] for name in samples.report_rows().blocks}
    seen = measure(browser, mail_page(tmp_path, "zh", **empty), PHONE)
    assert seen["scroll_width"] <= PHONE
    assert seen["images"] == []


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_the_list_of_mails_fits_and_can_be_read(browser: Browser, tmp_path: Path, is_dark: bool) -> None:
    mail_page(tmp_path, "zh")
    mail_page(tmp_path, "zh")
    index = (tmp_path / "outbox" / "index.html").read_text("utf-8")
    seen = measure(browser, index, PHONE, is_dark)
    assert seen["scroll_width"] <= PHONE
    assert [text for text in seen["texts"] if text["contrast"] < 4.5] == []
