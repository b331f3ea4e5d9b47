"""A mail server, spoken to in SMTP: it takes a message, refuses it, or nobody can tell."""

import smtplib
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import unquote, urlsplit

from winback.errors import WinbackError

_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
_TAKEN = (250, 251)  # taken; taken, to be forwarded


class Refused(Exception):
    """The server answered, and did not take the message."""


class NotSent(Exception):
    """The line broke before the text of the message was on it."""


class Unknown(Exception):
    """The line broke when the text of the message may have arrived."""


class MailServer:
    """A mail server by its URL, on one line that is made when it is needed, and anew when it broke."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in _PORTS or not parts.hostname:
            raise WinbackError(
                f"The mail server's URL begins with {parts.scheme or 'nothing'!r} or lacks the host.",
                "write smtp://host:25, smtp+starttls://user:password@host:587 or smtps://user:password@host:465",
            )
        self._scheme, self._host = parts.scheme, parts.hostname
        self._port = parts.port or _PORTS[parts.scheme]
        self._user, self._password = unquote(parts.username or ""), unquote(parts.password or "")
        self._timeout_seconds = timeout_seconds
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> "MailServer":
        return self

    def __exit__(self, *_: object) -> None:
        if self._smtp is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._smtp.quit()

    def connect(self) -> None:
        """See that there is a line and that somebody answers on it."""
        with suppress(smtplib.SMTPException, OSError):
            if self._smtp is not None and self._smtp.noop()[0] in _TAKEN:
                return
        try:
            self._smtp = self._open()
        except (smtplib.SMTPException, OSError) as error:
            reason = f"{type(error).__name__}: {error}"
            if isinstance(error, smtplib.SMTPAuthenticationError):
                reason = "it refuses the user name or password"
            raise WinbackError(
                f"The mail server {self._host}:{self._port} cannot be used: {reason}.",
                "see that it runs, then check host, port, user and password in the mail connection's URL",
            ) from None

    def hand_over(self, sender: str, recipient: str, text: bytes) -> None:
        """Give a message to the server, which takes it, or one of our three errors says how it ended."""
        assert self._smtp is not None
        try:
            self._expect(*self._smtp.mail(sender))
            self._expect(*self._smtp.rcpt(recipient))
        except UnicodeEncodeError:
            raise Refused("an address is not ASCII, and such mail is not supported yet") from None
        except (smtplib.SMTPException, OSError) as error:
            raise NotSent(f"the mail server broke off ({type(error).__name__})") from None
        try:
            self._expect(*self._smtp.data(text))
        except smtplib.SMTPDataError as error:  # it did not even want the text
            self._expect(error.smtp_code, error.smtp_error)
        except (smtplib.SMTPException, OSError) as error:
            raise Unknown(f"the line broke after the text was sent ({type(error).__name__})") from None

    def _expect(self, code: int, answer: bytes | str) -> None:
        if code in _TAKEN:
            return
        with suppress(smtplib.SMTPException, OSError):
            assert self._smtp is not None
            self._smtp.rset()
        raise Refused(f"{code} {answer.decode(errors='replace') if isinstance(answer, bytes) else answer}")

    def _open(self) -> smtplib.SMTP:
        safe = ssl.create_default_context()
        where: dict[str, Any] = {"host": self._host, "port": self._port, "timeout": self._timeout_seconds}
        is_tls = self._scheme == "smtps"
        smtp = smtplib.SMTP_SSL(context=safe, **where) if is_tls else smtplib.SMTP(**where)
        if self._scheme == "smtp+starttls":
            smtp.starttls(context=safe)
        if self._user:
            smtp.login(self._user, self._password)
        smtp.ehlo_or_helo_if_needed()
        return smtp
