"""A folder of mails that a person can look at: each as it is sent, and a page that lists them."""

import hashlib
import html
import re
from email.utils import parsedate_to_datetime
from pathlib import Path

from winback.report.mail_pages import (
    list_page,
    mail_row,
    read_headers,
    read_mail,
    replace_file,
    write_beside,
)


class Outbox:
    """A folder of mails, with a page that lists them. `note` says what became of them."""

    def __init__(self, folder: Path, note: str = "They were kept here and went to nobody.") -> None:
        self.folder = folder
        self.note = note
        folder.mkdir(parents=True, exist_ok=True)
        self._write_index()

    def keep(self, content: bytes) -> Path:
        """Keep one mail; return the path of its `.eml`. The same mail again gets a number of its own."""
        mail = read_mail(content)
        date = parsedate_to_datetime(mail["Date"]).strftime("%Y-%m-%d") if mail["Date"] else "undated"
        recipient = re.sub(r"[^A-Za-z0-9.-]+", "-", str(mail["To"] or "").rpartition("<")[2].rstrip(">"))[:60]
        digest = hashlib.sha256(str(mail["Message-ID"] or "").encode() or content).hexdigest()[:8]
        name, copies = f"{date}_{recipient}_{digest}", 1
        while True:
            path = self.folder / f"{name}{f'_{copies}' if copies > 1 else ''}.eml"
            try:
                with path.open("xb") as file:
                    file.write(content)
                break
            except FileExistsError:
                copies += 1
        write_beside(path, mail)
        self._write_index()
        return path

    def _write_index(self) -> None:
        rows, seen = [], set()
        for path in sorted(self.folder.glob("*.eml")):
            mail = read_headers(path)
            identity = str(mail["Message-ID"] or "")
            rows.append(mail_row(path, mail, ' <b class="again">came again</b>' if identity in seen else ""))
            seen.add(identity)
        note = f"{len(rows)} mails. {html.escape(self.note)}"
        page = list_page("Outbox", note, ("Date", "To", "Subject", ""), rows)
        replace_file(self.folder / "index.html", page.encode())
