"""Accounts of the sandbox: files and vector stores, with the JSON in which OpenAI shows them.

Shapes: https://platform.openai.com/docs/api-reference (files, vector-stores, vector-stores-files)
"""

import time
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

READABLE = {".txt", ".md", ".pdf", ".docx", ".doc", ".pptx", ".html", ".json"}
"""The document types among those that OpenAI's file search reads."""
BYTES_OF_INDEX = 3
"""Size of an index in sizes of its text: passages overlap, and each has a vector."""


@dataclass
class File:
    id: str
    name: str
    size: int
    created_at: int

    def view(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": "file",
            "bytes": self.size,
            "created_at": self.created_at,
            "filename": self.name,
            "purpose": "assistants",
            "status": "processed",
        }


@dataclass
class StoredFile:
    """A file in a vector store. Indexing takes a while, and fails for types that cannot be read."""

    file: File
    created_at: int
    ready_at: float

    @property
    def status(self) -> str:
        if time.monotonic() < self.ready_at:
            return "in_progress"
        return "completed" if self.last_error is None else "failed"

    @property
    def last_error(self) -> dict[str, str] | None:
        if PurePath(self.file.name).suffix.lower() in READABLE:
            return None
        return {"code": "unsupported_file", "message": "The file type is not supported."}

    @property
    def usage_bytes(self) -> int:
        return BYTES_OF_INDEX * self.file.size if self.status == "completed" else 0

    def view(self, store_id: str) -> dict[str, Any]:
        return {
            "id": self.file.id,
            "object": "vector_store.file",
            "created_at": self.created_at,
            "vector_store_id": store_id,
            "status": self.status,
            "last_error": self.last_error if self.status == "failed" else None,
            "usage_bytes": self.usage_bytes,
            "attributes": {},
        }


@dataclass
class Store:
    id: str
    name: str
    created_at: int
    files: dict[str, StoredFile] = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        statuses = [stored.status for stored in self.files.values()]
        counts = {name: statuses.count(name) for name in ("in_progress", "completed", "failed", "cancelled")}
        return {
            "id": self.id,
            "object": "vector_store",
            "created_at": self.created_at,
            "name": self.name,
            "status": "in_progress" if counts["in_progress"] else "completed",
            "file_counts": counts | {"total": len(statuses)},
            "usage_bytes": sum(stored.usage_bytes for stored in self.files.values()),
            "last_active_at": self.created_at,
            "expires_after": None,
            "expires_at": None,
            "metadata": {},
        }


@dataclass
class Account:
    files: dict[str, File] = field(default_factory=dict)
    stores: dict[str, Store] = field(default_factory=dict)
