"""Ten years of the lunar calendar against the browser's own (ICU), which computes moon and sun."""

import json
import os
import shutil
import subprocess
from datetime import date, timedelta
from pathlib import Path

import pytest

from winback.holidays import Holidays
from winback.lunar import lunar_days

FIRST, LAST = date(2020, 1, 1), date(2029, 12, 31)
# The new moon of this day is four minutes before midnight in Beijing, and ICU finds it after. Each day of
# the month that begins with it is another there.
NEARLY_MIDNIGHT = date(2027, 2, 6)

# Day by day the month as ICU names it (`6bis` is a leap month, after month 6), and the day in it.
PAGE = """
<pre id=days></pre><script>
const of = new Intl.DateTimeFormat("en-u-ca-chinese", {month: "numeric", day: "numeric", timeZone: "UTC"})
const days = []
for (let at = Date.UTC(2020, 0, 1); at < Date.UTC(2030, 0, 1); at += 86400000) {
  const parts = Object.fromEntries(of.formatToParts(at).map(part => [part.type, part.value]))
  days.push([new Date(at).toISOString().slice(0, 10), parts.month, Number(parts.day)])
}
document.getElementById("days").textContent = JSON.stringify(days)
</script>
"""


@pytest.fixture
def computed(tmp_path: Path) -> list[list[str | int]]:
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    (tmp_path / "icu.html").write_text(PAGE, encoding="utf-8")
    page = subprocess.run(
        [browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"file://{tmp_path}/icu.html"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},
    ).stdout
    return json.loads(page.partition('<pre id="days">')[2].partition("</pre>")[0])


def test_ten_years_with_their_leap_months_are_those_that_a_browser_computes(computed):
    ours = [
        [each.day.isoformat(), f"{each.lunar_month}{'bis' if each.is_leap_month else ''}", each.lunar_day]
        for each in lunar_days(FIRST, LAST)
    ]
    assert len(computed) == len(ours) == (LAST - FIRST).days + 1
    assert {month for _, month, _ in ours if "bis" in str(month)} == {"2bis", "4bis", "5bis", "6bis"}
    differ = [one[0] for one, other in zip(ours, computed, strict=True) if one != other]
    assert differ == [(NEARLY_MIDNIGHT + timedelta(days)).isoformat() for days in range(len(differ))]
    assert len(differ) <= 30
    holidays = [each.day for each in Holidays("CN").special_days(2027) if "春节" in (each.name_zh or "")]
    assert min(day for day in holidays if day.year == NEARLY_MIDNIGHT.year) == NEARLY_MIDNIGHT
