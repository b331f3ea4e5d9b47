"""Read a feed from an HTTP service that answers in JSON, page by page, such as a ticket system.

Records are flattened (`via.channel`) and go through a file as text: ids keep their digits, no float ever
touches an amount, and memory holds one page at a time.
"""

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import duckdb
import requests
from requests.auth import AuthBase
from requests.utils import get_encoding_from_headers
from urllib3 import exceptions as urllib3_errors

from winback import http_service
from winback.config import Endpoint, FeedSource, RestSystem
from winback.connections import connection_url
from winback.errors import WinbackError
from winback.extract import Window
from winback.extract.conversions import as_type, literal, quoted
from winback.extract.spool import open_spool, row_line, rows_relation
from winback.http_service import base_and_auth, patient_session

_TRY_AGAIN = (429, 500, 502, 503, 504)
_READ_BYTES = 1 << 16
_MAX_ANSWER_BYTES = 64 << 20  # of JSON; its records take some ten times that in memory
_ITSELF = "."  # as a path: the answer itself is the list of records


@dataclass(frozen=True)
class _Answer:
    """One page: what the server said, its records, and the next page by its Link header."""

    content: Any
    records: list[dict[str, Any]]
    next_link: str | None


@dataclass
class RestRecords:
    """All records of an endpoint as text; on a later load those changed since the window's start.

    What the window's end leaves to a later day is dropped here, since few services can be asked for it; not
    from a source with a query, whose columns are the query's.
    """

    base_url: str
    auth: AuthBase
    system: RestSystem
    source: FeedSource
    window: Window | None = None
    _names: dict[str, str] = field(default_factory=dict, init=False)
    _empty: set[str] = field(default_factory=set, init=False)

    column_types: ClassVar[dict[str, str]] = {}  # all text

    @property
    def name(self) -> str:
        """Return the endpoint's path."""
        return self._endpoint.path

    @property
    def _endpoint(self) -> Endpoint:
        return cast(Endpoint, self.source.endpoint)

    def relation(self, engine: duckdb.DuckDBPyConnection, folder: Path) -> str:
        """Ask for all pages, write the records down and return a relation of text columns."""
        self._names, self._empty = {}, set()
        spool = folder / "records.jsonl"
        with (
            open_spool(spool) as out,
            patient_session(self.auth, "GET", self.system.attempts, _TRY_AGAIN) as session,
        ):
            session.headers["Accept"] = "application/json"
            for answer in self._answers(session):
                out.writelines(row_line(self._named(flatten(record))) for record in answer.records)
        names = [*self._names.values(), *self._absent(engine)]
        return f"(select * from {rows_relation(spool, names)} where {self._within()})"

    # -- columns ----------------------------------------------------------------------------------------

    def _named(self, record: dict[str, str | None]) -> dict[str, str | None]:
        """Note the columns in order of first sight; names that differ by case only get a number."""
        named = {}
        for name, value in record.items():
            known = self._names.setdefault(name, self._free_name(name))
            named[known] = value
            if value is None:
                self._empty.add(name)
        return named

    def _free_name(self, name: str) -> str:
        if name in self._names:
            return self._names[name]
        taken = {known.casefold() for known in self._names.values()}
        number, free = 1, name
        while free.casefold() in taken:
            number += 1
            free = f"{name}_{number}"
        return free

    def _absent(self, engine: duckdb.DuckDBPyConnection) -> list[str]:
        """Return mapped columns that no record has, though that is no mistake in the mapping.

        Without any record that is all of them. Else those within something that was empty in some record:
        `satisfaction_rating.score`, where nobody has rated yet.
        """
        if not self._names:
            return self._wanted(engine)
        seen = {name.casefold() for name in self._names.values()}
        return [
            name
            for name in self._wanted(engine)
            if name.casefold() not in seen and any(name.startswith(f"{parent}.") for parent in self._empty)
        ]

    def _wanted(self, engine: duckdb.DuckDBPyConnection) -> list[str]:
        wanted = _columns_of(engine, self.source.query) if self.source.query is not None else []
        wanted += [mapping.column for mapping in self.source.columns.values() if mapping.column is not None]
        if marked := getattr(self.source.deletes, "column", None):
            wanted.append(marked)
        return list(dict.fromkeys(wanted))

    def _within(self) -> str:
        """Write the condition that keeps the records before the window's end."""
        if self.window is None or self.source.query is not None:
            return "true"
        mapping = self.source.columns[self.window.column]
        if mapping.column is None or mapping.column not in self._names.values():
            return "true"
        text = f"nullif(trim({quoted(mapping.column)}), '')"
        moment = f"cast({as_type('timestamptz', text, mapping, self.system.time_zone)} as timestamptz)"
        before = literal(self.window.before.isoformat())
        return f"coalesce({moment} < timestamptz {before}, {self.window.and_unknown})"

    # -- pages ------------------------------------------------------------------------------------------

    def _answers(self, session: requests.Session) -> Iterator[_Answer]:
        """Yield page after page; a server that sends the same page again would never end."""
        url: str | None = self._first_url()
        asked: set[str] = set()
        contents: set[str] = set()
        while url is not None:
            asked.add(url)
            answer = self._ask(session, url)
            content = hashlib.sha256(json.dumps(answer.records).encode()).hexdigest()
            if answer.records and content in contents:
                raise self._endless(len(asked))
            contents.add(content)
            yield answer
            following = self._next_url(url, answer)
            if following in asked:
                if answer.records:
                    raise self._endless(len(asked))
                return
            url = following

    def _first_url(self) -> str:
        endpoint = self._endpoint
        parameters = dict(endpoint.parameters)
        if endpoint.page_parameter is not None:
            parameters.setdefault(endpoint.page_parameter, "1")
        if endpoint.since is not None:
            after = self.window.after if self.window else None
            if after is not None:
                parameters[endpoint.since] = moment_text(after, endpoint.since_format)
            elif endpoint.since_format == "epoch":
                parameters.setdefault(endpoint.since, "0")
        return _with_parameters(self.base_url + "/" + endpoint.path.lstrip("/"), parameters)

    def _next_url(self, url: str, answer: _Answer) -> str | None:
        """Return where the next page is, None after the last."""
        endpoint = self._endpoint
        if endpoint.end is not None and value_at(answer.content, endpoint.end) is True:
            return None
        if endpoint.page_parameter is not None:
            page = int(dict(parse_qsl(urlsplit(url).query))[endpoint.page_parameter])
            return _with_parameters(url, {endpoint.page_parameter: str(page + 1)}) if answer.records else None
        if endpoint.next_cursor is not None:
            cursor = value_at(answer.content, endpoint.next_cursor)
            named = cast(str, endpoint.cursor_parameter)
            return _with_parameters(url, {named: str(cursor)}) if cursor not in (None, "", False) else None
        following = value_at(answer.content, endpoint.next_url) if endpoint.next_url else answer.next_link
        return self._on_same_host(url, str(following)) if following else None

    def _on_same_host(self, url: str, following: str) -> str:
        """Follow a server's link on the stated server only: another host would get the secret.

        Behind a proxy servers often name themselves by http or another port; those are kept as stated.
        """
        stated, found = urlsplit(url), urlsplit(urljoin(url, following))
        if found.hostname != stated.hostname:
            raise WinbackError(
                f"{self._place}: the next page is said to be on another host, {found.hostname}.",
                "state that host in the connection if it is the right one; the secret was not sent there",
            )
        return urlunsplit((stated.scheme, stated.netloc, found.path, found.query, ""))

    def _endless(self, pages: int) -> WinbackError:
        return WinbackError(
            f"{self._place}: page {pages} leads to what was read before, so that the pages never end.",
            "check how the service pages: next_url, next_cursor, page_parameter and end in winback.yml",
        )

    # -- asking -----------------------------------------------------------------------------------------

    def _ask(self, session: requests.Session, url: str) -> _Answer:
        """Ask for one page, again if its body breaks off; what goes wrong earlier is repeated below."""
        for attempt in range(1, self.system.attempts + 1):
            try:
                with session.get(url, stream=True, timeout=self._seconds, allow_redirects=False) as response:
                    self._check_status(response)
                    body = self._read(response)
                return self._understood(response, body)
            except requests.exceptions.SSLError:
                raise WinbackError(
                    f"{self._place}: the server's certificate is not trusted.",
                    "correct the host, or name the authority's certificates in REQUESTS_CA_BUNDLE",
                ) from None
            except (urllib3_errors.ProtocolError, urllib3_errors.DecodeError):
                if attempt == self.system.attempts:
                    raise self._failure("the answer broke off") from None
                time.sleep(http_service.BACKOFF_SECONDS * 2**attempt)
            except (requests.exceptions.Timeout, urllib3_errors.TimeoutError):
                raise self._failure(f"no answer within {self._seconds:g} seconds") from None
            except requests.exceptions.RequestException as error:
                is_late = isinstance(_reason(error), urllib3_errors.ReadTimeoutError)
                said = (
                    f"no answer within {self._seconds:g} seconds"
                    if is_late
                    else "the server cannot be reached"
                )
                raise self._failure(said) from None
        raise AssertionError("unreachable")

    @property
    def _seconds(self) -> float:
        return self.system.timeout / timedelta(seconds=1)

    def _read(self, response: requests.Response) -> bytes:
        """Read a body within the time and size that an answer may take."""
        deadline = time.monotonic() + self._seconds
        body = bytearray()
        while chunk := response.raw.read1(_READ_BYTES, decode_content=True):
            body += chunk
            if time.monotonic() > deadline:
                raise self._failure(f"the answer was not complete after {self._seconds:g} seconds")
            if len(body) > _MAX_ANSWER_BYTES:
                raise WinbackError(
                    f"{self._place}: an answer of more than {_MAX_ANSWER_BYTES >> 20} MB.",
                    "ask for fewer records at once: state the service's page size among endpoint.parameters",
                )
        return bytes(body)

    def _check_status(self, response: requests.Response) -> None:
        status = response.status_code
        if status == requests.codes.ok:
            return
        problem, fix = _STATUS.get(
            status, ("an unexpected status", "check path and parameters of the endpoint in winback.yml")
        )
        if status in _TRY_AGAIN:
            problem += f" (asked {self.system.attempts} times)"
        if 300 <= status < 400:  # noqa: PLR2004 -- the class of redirections
            moved = urlsplit(response.headers.get("Location", ""))
            problem = f"moved to {moved.scheme or 'the same scheme'}://{moved.hostname or ''}{moved.path}"
            fix = "correct the connection's URL or the endpoint's path; the secret was not sent there"
        raise WinbackError(
            f"{self._place}: the server answered {status}, {problem}.",
            fix.format(connection=self.system.connection),
        )

    def _understood(self, response: requests.Response, body: bytes) -> _Answer:
        """Read the JSON and find the records in it."""
        charset = get_encoding_from_headers(response.headers)
        try:
            is_stated = "charset" in response.headers.get("Content-Type", "").lower() and charset
            text = body.decode(str(charset)) if is_stated else body
            content = json.loads(text, parse_float=str, parse_constant=str)
        except (ValueError, LookupError, RecursionError):
            kind = response.headers.get("Content-Type", "nothing that it names").split(";")[0]
            raise WinbackError(
                f"{self._place}: the answer is no JSON but {kind}.",
                "check host and path; a page to log in means that the secret is not accepted",
            ) from None
        records = value_at(content, self._endpoint.records)
        if records is None and not has(content, self._endpoint.records):
            raise WinbackError(
                f"{self._place}: the answer has no {self._endpoint.records!r}. {_shape(content)}",
                "correct endpoint.records in winback.yml: the way to the list, such as data.items, or . for"
                " an answer that is the list",
            )
        records = [] if records is None else records
        if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
            raise WinbackError(
                f"{self._place}: {self._endpoint.records!r} is no list of objects.",
                "correct endpoint.records in winback.yml: the way to the list, such as data.items",
            )
        return _Answer(content, records, response.links.get("next", {}).get("url"))

    @property
    def _place(self) -> str:
        return f"{self.source.source}: {urlsplit(self.base_url).netloc} {self._endpoint.path}"

    def _failure(self, reason: str) -> WinbackError:
        return WinbackError(
            f"{self._place}: {reason}.",
            f"check that the service runs and the host in the connection {self.system.connection};"
            " then load again, with a longer timeout if it is slow",
        )


_STATUS = {
    401: ("the secret is not accepted", "check token or password in the connection {connection}"),
    403: (
        "the secret does not allow this",
        "check the token's rights, or the one in the connection {connection}",
    ),
    404: ("no such path", "correct endpoint.path in winback.yml, or the URL in the connection {connection}"),
    429: ("too many requests", "load again later, or raise attempts of that system in winback.yml"),
    **dict.fromkeys((500, 502, 503, 504), ("an error of its own", "load again later; tell its operators")),
}


def rest_records(system: RestSystem, source: FeedSource, window: Window | None) -> RestRecords:
    """Return the records of an endpoint, within a window by a canonical column.

    Raises:
        WinbackError: the window's column is not read from a record, or the connection is no URL of HTTP.
    """
    if window is not None:
        mapping = source.columns.get(window.column)
        if mapping is None or mapping.column is None:
            raise WinbackError(
                f"{source.source}: the cursor {window.column} is not read from the records.",
                f"map columns.{window.column} to a name in the records, or name another cursor",
            )
    base_url, auth = base_and_auth(connection_url(system.connection), system)
    return RestRecords(base_url, auth, system, source, window)


def flatten(record: dict[str, Any], prefix: str = "") -> dict[str, str | None]:
    """Turn a record into text values by dotted names; a list, and what is in it, becomes JSON.

    An empty object counts as null, under its own name.
    """
    flat: dict[str, str | None] = {}
    for key, value in record.items():
        name = f"{prefix}{key}"
        match value:
            case dict() if value:
                flat |= flatten(value, f"{name}.")
            case None | dict():
                flat[name] = None
            case bool():
                flat[name] = "true" if value else "false"
            case list():
                flat[name] = json.dumps(value, ensure_ascii=False)
            case _:
                flat[name] = str(value)
    return flat


def value_at(content: Any, path: str) -> Any:
    """Follow a dotted path into an answer; None where it ends early."""
    for key in () if path == _ITSELF else path.split("."):
        content = content.get(key) if isinstance(content, dict) else None
    return content


def has(content: Any, path: str) -> bool:
    """Tell whether an answer has a value, even null, at a dotted path."""
    parent, _, key = path.rpartition(".")
    holder = value_at(content, parent or _ITSELF)
    return path == _ITSELF or (isinstance(holder, dict) and key in holder)


def moment_text(moment: datetime, how: str) -> str:
    """Write a moment as epoch seconds or in ISO 8601, in UTC, without the parts of a second."""
    return str(int(moment.timestamp())) if how == "epoch" else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _with_parameters(url: str, parameters: dict[str, str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(query=urlencode({**dict(parse_qsl(parts.query)), **parameters})))


def _shape(content: Any) -> str:
    if isinstance(content, dict):
        return f"It has: {', '.join(sorted(content)) or 'nothing'}."
    return "It is a list." if isinstance(content, list) else "It is a single value."


def _reason(error: BaseException) -> Any:
    """Return what made the last attempt fail, as urllib3 noted it."""
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)


def _columns_of(engine: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """Return the names that a query takes from its tables."""
    row = engine.execute("select json_serialize_sql($1::varchar)", [query]).fetchone()
    found: dict[str, None] = {}

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("class") == "COLUMN_REF":
                found[node["column_names"][-1]] = None
            node = list(node.values())
        if isinstance(node, list):
            for child in node:
                walk(child)

    walk(json.loads(row[0]) if row else None)
    return list(found)
