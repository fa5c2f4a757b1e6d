"""Count what happens in this process. Without `configure`, all functions do nothing.

A count is a write to memory that a file is mapped to: it takes microseconds, and never waits for a disk or lock.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Literal

import structlog

from glific_gpt.errors import SettingsError

if TYPE_CHECKING:  # prometheus_client is needed only if there is a token
    from glific_gpt.metrics.instruments import Instruments

UNKNOWN = "unknown"
"""Label of a function or mode that is none of ours."""
OTHER = "other"
"""Label of the error code of a plugin."""
MODES = ("sync", "async", "auto")

INTERRUPTED = "interrupted"
SERVICE = "service"

Kind = Literal["server", "worker"]

log = structlog.get_logger()


@dataclass
class _Recorder:
    """The folder and the label values of this process, and its metrics once it has a slot."""

    folder: Path
    functions: frozenset[str]
    error_classes: Mapping[str, str]
    instruments: "Instruments | None" = None
    lock: Lock = field(default_factory=Lock)


_recorder: _Recorder | None = None


def configure(folder: Path, functions: Collection[str], error_classes: Mapping[str, str]) -> None:
    """Keep the metrics of this process in this folder. Nothing is written before the first count, or `start`.

    Names of functions beside these are counted under one label value, and so are error codes. `error_classes` has the
    class of each error code, or "".
    """
    global _recorder  # noqa: PLW0603 - a process has one slot
    _recorder = _Recorder(folder, frozenset(functions), error_classes)


def is_enabled() -> bool:
    """Return whether this process counts."""
    return _recorder is not None


def folder() -> Path | None:
    """Return the folder of the metrics, with the files of this process; None without `configure`."""
    _find()
    return _recorder.folder if _recorder else None


def start(kind: Kind) -> None:
    """Take a slot and open its files. Raises SettingsError if the folder cannot be used."""
    if _recorder:
        _open(_recorder, kind)


def close() -> None:
    """Count nothing from now on, and give the slot to the next process. For tests."""
    global _recorder  # noqa: PLW0603 - a process has one slot
    if _recorder and _recorder.instruments:
        _recorder.instruments.close()
    _recorder = None


def call_ended(function: str, mode: str | None, status: str, error_code: str | None) -> None:
    """Count a call whose row has reached a final status, or that was refused without a row."""
    metrics, recorder = _find(), _recorder
    if metrics is None or recorder is None:
        return
    known_function = function if function in recorder.functions else UNKNOWN
    known_mode = mode if mode in MODES else UNKNOWN
    code = error_code if error_code in recorder.error_classes else OTHER
    metrics.calls.labels(known_function, known_mode, status, code if error_code else "").inc()
    error_class = SERVICE if status == INTERRUPTED else recorder.error_classes.get(code or "")
    if error_class:
        metrics.failures.labels(error_class).inc()


def call_answered(seconds: float) -> None:
    """Count the time from a call's arrival to its response."""
    if metrics := _find():
        metrics.call_seconds.observe(seconds)


def deferred_call_ended(seconds: float) -> None:
    if metrics := _find():
        metrics.deferred_seconds.observe(seconds)


def answer_replayed() -> None:
    if metrics := _find():
        metrics.replays.inc()


def openai_asked(seconds: float) -> None:
    if metrics := _find():
        metrics.openai_seconds.observe(seconds)


def openai_failed(cause: str) -> None:
    """Count a failed attempt. The caller chooses the cause from a short list."""
    if metrics := _find():
        metrics.openai_failures.labels(cause).inc()


def fallback_answered() -> None:
    if metrics := _find():
        metrics.fallback_answers.inc()


def sign_in_failed() -> None:
    if metrics := _find():
        metrics.sign_in_failures.inc()


def sign_in_throttled() -> None:
    if metrics := _find():
        metrics.sign_ins_throttled.inc()


def event_loop_blocked() -> None:
    if metrics := _find():
        metrics.loop_blocked.inc()


def housekeeping_succeeded(at: float) -> None:
    """Note the time of a housekeeping without a failure, in seconds since 1970."""
    if metrics := _find():
        metrics.housekeeping_at.set(at)


def secrets_checked(unreadable: int) -> None:
    if metrics := _find():
        metrics.secrets_unreadable.set(unreadable)


@contextmanager
def in_flight() -> Iterator[None]:
    """Count a call as long as the block runs."""
    metrics = _find()
    if metrics is None:
        yield
        return
    metrics.in_flight.inc()
    try:
        yield
    finally:
        metrics.in_flight.dec()


def _find() -> "Instruments | None":
    global _recorder  # noqa: PLW0603 - a process has one slot
    if _recorder is None:
        return None
    if _recorder.instruments is None:
        try:
            _open(_recorder, "server")
        except SettingsError as error:  # a server of ours does not start then; an app in another server counts nothing
            log.error("metrics_disabled", reason=str(error))
            _recorder = None
            return None
    return _recorder.instruments


def _open(recorder: _Recorder, kind: Kind) -> None:
    from glific_gpt.metrics.files import take_slot
    from glific_gpt.metrics.instruments import Instruments

    with recorder.lock:
        if recorder.instruments is None:
            recorder.instruments = Instruments(take_slot(recorder.folder), kind)
