"""HTTP services that a connection names: how to authenticate, and a session that does not give up at once.

The connection's URL carries address and secret: `https://:TOKEN@host/path` or `https://user:password@host/path`.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import unquote, urlsplit, urlunsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase, HTTPBasicAuth
from urllib3.util import Retry

from winback.errors import WinbackError

BACKOFF_SECONDS = 0.5
_LONGEST_WAIT_SECONDS = 120
_LONGEST_RETRY_AFTER_SECONDS = 900


@dataclass(frozen=True)
class _Header(AuthBase):
    """A secret in a header; set on each request, so that no .netrc replaces it."""

    name: str | None = None
    value: str = field(default="", repr=False)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self.name is not None:
            request.headers[self.name] = self.value
        return request


class Service(Protocol):
    """What is needed to authenticate: the connection's name, and the header that a token goes into."""

    @property
    def connection(self) -> str:
        """Return the name of the secret."""

    @property
    def token_header(self) -> str:
        """Return the name of the header."""


def base_and_auth(url: str, system: Service) -> tuple[str, AuthBase]:
    """Split a connection's URL into the address and the way to authenticate."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        parts, port = urlsplit(""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise WinbackError(
            f"connection {system.connection}: no URL of an HTTP service.",
            "write https://:TOKEN@host/path or https://user:password@host/path, special characters as %40",
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    base_url = urlunsplit((parts.scheme, host + port, parts.path.rstrip("/"), "", ""))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    auth: AuthBase = _Header()
    if user:
        auth = HTTPBasicAuth(user.encode(), password.encode())
    elif password and system.token_header.lower() == "authorization":
        auth = _Header("Authorization", f"Bearer {password}")
    elif password:
        auth = _Header(system.token_header, password)
    return base_url, auth


@contextmanager
def patient_session(
    auth: AuthBase, method: str, attempts: int, try_again: Collection[int]
) -> Iterator[requests.Session]:
    """Open a session that repeats requests of one method, with growing pauses.

    Repeated is what found no connection, no answer, or an answer whose status is in `try_again`; the last one
    of these is returned.
    """
    retry = Retry(
        total=attempts - 1,
        other=0,
        status_forcelist=try_again,
        allowed_methods=[method],
        backoff_factor=BACKOFF_SECONDS,
        backoff_max=_LONGEST_WAIT_SECONDS,
        retry_after_max=_LONGEST_RETRY_AFTER_SECONDS,
        raise_on_status=False,
    )
    with requests.Session() as session:
        session.auth = auth
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        yield session
