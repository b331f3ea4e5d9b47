"""Let a day's list leave, once; what a run that died has left to do, the next one does."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date

from winback import paths, warehouse
from winback.config import Settings
from winback.config_exports import ExportConfig
from winback.errors import WinbackError
from winback.export.files import csv_of, put, workbook_of
from winback.export.ledger import Batch, Ledger
from winback.export.rows import ListedRow, read_list
from winback.export.webhook import Refused, Service, Unknown, as_json
from winback.warehouse.schema import ensure_schema

# Hands over the rows of a batch.
Send = Callable[[Batch, Sequence[ListedRow]], None]


@dataclass(frozen=True)
class ExportCounts:
    """What happened to a list; `left_behind` where the marts show a later day, so that nothing leaves."""

    rows: int = 0
    batches: int = 0
    already_sent: int = 0
    left_behind: int = 0


def find_export(settings: Settings, name: str) -> ExportConfig:
    """Return an export of the configuration.

    Raises:
        WinbackError: there is none of that name.
    """
    if name not in settings.exports:
        raise WinbackError(
            f"There is no export {name!r}.",
            f"choose one of: {', '.join(sorted(settings.exports)) or 'none are configured'};"
            " exports in winback.yml",
        )
    return settings.exports[name]


def count_rows(settings: Settings, name: str, as_of_date: date) -> tuple[int, str]:
    """Return how many rows a list has now, and what the ledger says of it; nothing leaves."""
    export = find_export(settings, name)
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        rows = read_list(connection, name, export, as_of_date)
        return len(rows or ()), Ledger(connection, name, as_of_date).state() or "not sent"


def run_export(settings: Settings, name: str, as_of_date: date) -> dict[str, int]:
    """Let a list leave unless it has, and return the counts; without customers nothing leaves.

    A list is drawn up once for a day. Later tries send what is missing of it, without who may
    not be on it any more.

    Raises:
        WinbackError: the marts do not show that day yet, the target refused the list, or nobody can tell
            whether it has all of it.
    """
    export = find_export(settings, name)
    with warehouse.connect(autocommit=True) as connection:
        ensure_schema(connection)
        ledger = Ledger(connection, name, as_of_date)
        with ledger.only_sender():
            if ledger.state() == "sent":
                return asdict(ExportCounts(already_sent=1))
            rows = read_list(connection, name, export, as_of_date)
            if rows is None:
                return asdict(ExportCounts(left_behind=1))
            ledger.draw_up(_batches(export, rows), len(rows), _digest(rows))
            return asdict(_send_unsent(settings, export, ledger, rows))


def _send_unsent(
    settings: Settings, export: ExportConfig, ledger: Ledger, rows: Sequence[ListedRow]
) -> ExportCounts:
    sent, batches = 0, 0
    ledger.note("sending")
    try:
        with _sender(settings, export, ledger) as send:
            for batch in ledger.unsent():
                of_batch = [row for row in rows if row.customer_key in batch.customer_keys]
                if of_batch:
                    send(batch, of_batch)
                    sent, batches = sent + len(of_batch), batches + 1
                ledger.note_sent(batch, len(of_batch))
    except Refused as refusal:
        ledger.note("refused", str(refusal))
        raise _not_sent(ledger, f"{refusal}; what it has not taken stays here", "mend that") from None
    except Unknown as doubt:
        ledger.note("unknown", str(doubt))
        raise _not_sent(
            ledger, f"{doubt}; nobody can tell what it has taken", "see that it answers"
        ) from None
    except WinbackError as error:
        ledger.note("refused", error.problem)
        raise
    ledger.note("sent")
    return ExportCounts(rows=sent, batches=batches)


@contextmanager
def _sender(settings: Settings, export: ExportConfig, ledger: Ledger) -> Iterator[Send]:
    """Return what hands a batch over to the target."""
    if export.to.webhook is None:
        yield lambda batch, rows: _put_file(settings, export, ledger, batch, rows)
        return
    service = Service.of(export.to.webhook)
    key = ledger.idempotency_key()
    with service.session() as session:

        def post(batch: Batch, rows: Sequence[ListedRow]) -> None:
            body = {
                "export": ledger.export,
                "as_of_date": ledger.as_of_date,
                "batch": batch.number,
                "rows": [row.values for row in rows],
            }
            service.post(session, f"{key}-{batch.number}", body)

        yield post


def _put_file(
    settings: Settings, export: ExportConfig, ledger: Ledger, batch: Batch, rows: Sequence[ListedRow]
) -> None:
    values = [row.values for row in rows]
    # More than one batch is left of a list that was drawn up for a webhook, before its target was changed.
    part = "" if batch.number == 1 else f"_{batch.number}"
    name = f"{ledger.export}_{ledger.as_of_date}{part}"
    if export.to.csv is not None:
        put(paths.ROOT / export.to.csv, f"{name}.csv", csv_of(values))
    elif export.to.xlsx is not None:
        workbook = workbook_of(values, export.language, settings.business.currency)
        put(paths.ROOT / export.to.xlsx, f"{name}.xlsx", workbook)


def _batches(export: ExportConfig, rows: Sequence[ListedRow]) -> list[list[str]]:
    """Return the customers of each batch, all rows of one together; a file is one batch."""
    keys = list(dict.fromkeys(row.customer_key for row in rows))
    size = export.to.webhook.batch_size if export.to.webhook else max(len(keys), 1)
    return [keys[first : first + size] for first in range(0, len(keys), size)]


def _digest(rows: Sequence[ListedRow]) -> str:
    return hashlib.sha256(as_json([[row.customer_key, row.values] for row in rows])).hexdigest()


def _not_sent(ledger: Ledger, why: str, fix: str) -> WinbackError:
    return WinbackError(
        f"{ledger.export} of {ledger.as_of_date}: {why}.",
        f"{fix}, then run it again: winback export run {ledger.export} --as-of {ledger.as_of_date} --really;"
        " what was taken is known by its idempotency key",
    )
