"""Every mail as it was sent, by report, period and recipient, with pages that list them; all of it offline.

    <folder>/index.html                          by week and by recipient
    <folder>/<report>/<period>/index.html        one issue
    <folder>/<report>/<period>/<recipient>.eml   the very bytes that the server was given, with pages beside

What lies here is as personal as the mails themselves.
"""

import hashlib
import html
import re
from collections import defaultdict
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from urllib.parse import quote

from winback.report.mail_pages import (
    files_of,
    list_page,
    mail_row,
    read_headers,
    replace_file,
    write_beside,
)


@dataclass(frozen=True)
class Archive:
    """A folder of mails; `url` is the address under which readers find it, where it is served."""

    folder: Path
    url: str | None = None

    def path(self, report: str, period: str, recipient: str, attempt: int) -> Path:
        """Return where a mail is kept; a mail that was tried again lies beside what was tried first."""
        digest = hashlib.sha256(recipient.encode()).hexdigest()[:6]  # two addresses may look alike as files
        name = f"{re.sub(r'[^A-Za-z0-9.@+-]', '-', recipient)[:80]}_{digest}"
        again = f"_{attempt}" if attempt > 1 else ""
        return self.folder / report / period / f"{name}{again}.eml"

    def keep(self, path: Path, content: bytes, mail: EmailMessage) -> None:
        """Keep a mail, as the bytes that a server is about to be given, which are that message."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_beside(path, mail)
        replace_file(path, content)

    def forget(self, path: Path) -> None:
        """Delete a mail that was not sent after all."""
        for file in files_of(path):
            file.unlink(missing_ok=True)

    def place_of(self, file: Path) -> str:
        """Return where readers find a file of the archive."""
        if self.url is None:
            return str(file)
        return f"{self.url.rstrip('/')}/{quote(file.relative_to(self.folder).as_posix())}"

    def write_index(self, report: str, period: str) -> None:
        """Bring the page of an issue, and the page of all issues, up to date."""
        folder = self.folder / report / period
        mails = sorted(folder.glob("*.eml"))
        if not mails:
            return
        rows = [mail_row(path, read_headers(path)) for path in mails]
        note = f'{len(rows)} mails as they were sent. <a href="../../index.html">all issues</a>'
        page = list_page(f"{report} {period}", note, ("Date", "To", "Subject", ""), rows)
        replace_file(folder / "index.html", page.encode())
        replace_file(self.folder / "index.html", self._overview().encode())

    def _overview(self) -> str:
        """Return the page of all issues: each with its number of mails, then each recipient's mails."""
        by_recipient: dict[str, list[Path]] = defaultdict(list)
        issues = []
        # Newest first within a report: the names of periods sort as time goes by.
        for folder in sorted((page.parent for page in self.folder.glob("*/*/index.html")), reverse=True):
            mails = sorted(folder.glob("*.eml"))
            place = quote(f"{folder.parent.name}/{folder.name}/index.html")
            issues.append(
                f"<tr><td>{html.escape(folder.parent.name)}</td>"
                f'<td><a href="{place}">{html.escape(folder.name)}</a></td><td>{len(mails)}</td></tr>'
            )
            for path in mails:
                by_recipient[_recipient(path)].append(path)
        readers = [
            f'<tr><td>{html.escape(recipient)}</td><td colspan="2">'
            f"{' · '.join(self._link(path) for path in paths)}</td></tr>"
            for recipient, paths in sorted(by_recipient.items())
        ]
        divider = '<tr><th>Recipient</th><th colspan="2">Mails</th></tr>'
        return list_page(
            "Archive of mails",
            f"{len(issues)} issues to {len(readers)} recipients.",
            ("Report", "Period", "Mails"),
            [*issues, divider, *readers],
        )

    def _link(self, path: Path) -> str:
        page = path.with_suffix(".html").relative_to(self.folder).as_posix()
        return f'<a href="{quote(page)}">{html.escape(f"{path.parts[-3]} {path.parts[-2]}")}</a>'


def _recipient(path: Path) -> str:
    return re.sub(r"_[0-9a-f]{6}(_\d+)?$", "", path.stem)
