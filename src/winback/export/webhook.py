"""Lists as requests to an HTTP service, each of which it is to take once, by its idempotency key.

A request that may or may not have got through is repeated with the same key, so the service must know keys
that it has seen. Errors name the service's connection and its answer's status; never what was sent, and never
the URL, which holds the secret.
"""

import ipaddress
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from winback.config_exports import Webhook
from winback.connections import connection_url
from winback.errors import WinbackError
from winback.http_service import base_and_auth, patient_session

# Also what asks for patience; all else of 4xx is an answer for good.
_TRY_AGAIN = (408, 425, 429, *range(500, 600))
_TAKEN = range(200, 300)


class Refused(Exception):
    """The service said no, and will say so again."""


class Unknown(Exception):
    """The service may have taken the request; with the same key it may be asked again."""


@dataclass(frozen=True)
class Service:
    """An HTTP service that takes lists."""

    url: str
    auth: AuthBase
    config: Webhook

    @classmethod
    def of(cls, config: Webhook) -> "Service":
        """Return the service behind a connection.

        Raises:
            WinbackError: there is no secret, it is no URL, or the line would not be encrypted.
        """
        url, auth = base_and_auth(connection_url(config.connection), config)
        if urlsplit(url).scheme != "https" and not _is_loopback(urlsplit(url).hostname or ""):
            raise WinbackError(
                f"connection {config.connection}: customers' data would leave unencrypted.",
                "write the connection's URL with https://",
            )
        return cls(url, auth, config)

    def session(self) -> AbstractContextManager[requests.Session]:
        """Return a session that repeats what may be repeated."""
        return patient_session(self.auth, "POST", self.config.attempts, _TRY_AGAIN)

    def post(self, session: requests.Session, key: str, body: Mapping[str, Any]) -> None:
        """Hand a batch over; Refused or Unknown say how it ended otherwise."""
        where = f"connection {self.config.connection}"
        try:
            answer = session.post(
                self.url,
                data=as_json(body),
                headers={"Content-Type": "application/json", "Idempotency-Key": key},
                timeout=self.config.timeout / timedelta(seconds=1),
                allow_redirects=False,
            )
        except requests.exceptions.SSLError:
            raise Refused(f"{where}: the server's certificate is not trusted") from None
        except requests.RequestException as error:  # its text may hold the URL
            raise Unknown(
                f"{where}: no answer after {self.config.attempts} attempts ({type(error).__name__})"
            ) from None
        if answer.status_code in _TRY_AGAIN:
            raise Unknown(
                f"{where}: the server answered {answer.status_code} after {self.config.attempts} attempts"
            )
        if answer.status_code not in _TAKEN:
            raise Refused(f"{where}: the server answered {answer.status_code}")


def as_json(content: Mapping[str, Any] | Sequence[Any]) -> bytes:
    """Write amounts and days as text, so that no float ever touches an amount."""
    return json.dumps(content, ensure_ascii=False, default=str).encode()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
