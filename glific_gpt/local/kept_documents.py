"""The sandbox's documents in a file, so that an organization's vector stores are still there after a restart.

As in memory, these are names and sizes. The content of an uploaded file is not kept.
"""

import hashlib
import itertools
import sys
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from pydantic import TypeAdapter, ValidationError

from glific_gpt.local.sandbox_accounts import Account
from glific_gpt.local.sandbox_documents import DocumentRequest, Documents


@dataclass
class _Content:
    """The content of the file."""

    next_number: int = 1
    """Numbers of deleted stores are not used again: an organization may still have chosen one of these stores."""
    accounts: dict[str, Account] = field(default_factory=dict)


_CONTENT = TypeAdapter(_Content)


class KeptDocuments(Documents):
    """Documents that are written to a file after each change."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._lock = Lock()
        content = self._read()
        self._accounts = content.accounts
        self._numbers = itertools.count(content.next_number)
        for account in self._accounts.values():
            for store in account.stores.values():
                for stored in store.files.values():
                    stored.ready_at = 0.0  # a time of the process before

    def answer(self, request: DocumentRequest) -> tuple[int, dict[str, Any]]:
        with self._lock:
            reply = super().answer(request)
            if request.method != "GET":
                self._write()
        return reply

    def _account(self, key: str) -> Account:
        # The file does not hold the keys.
        return super()._account(hashlib.sha256(key.encode()).hexdigest())

    def _read(self) -> _Content:
        try:
            return _CONTENT.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return _Content()
        except (OSError, ValidationError):
            sys.stderr.write(f"The sandbox cannot read {self._path}. It begins without documents.\n")
            return _Content()

    def _write(self) -> None:
        number = next(self._numbers)
        self._numbers = itertools.count(number)
        new = self._path.with_suffix(".new")
        new.write_bytes(_CONTENT.dump_json(_Content(number, self._accounts)))
        new.replace(self._path)
