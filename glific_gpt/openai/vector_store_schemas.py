"""Shapes of OpenAI's vector stores and files. Unknown values are read like missing ones."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import AliasChoices, BaseModel, BeforeValidator, Field

MAX_ITEMS = 10_000
PAGE = 100
"""Vector stores, and documents of one, that are listed: OpenAI's longest page. The newest come first."""
MAX_COUNT = 2**53
"""Larger numbers are not exact in JSON (RFC 8259, section 6), and no store has so many bytes."""
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,200}$")]


def _text(value: Any) -> str:
    return value[:255] if isinstance(value, str) else ""


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MAX_COUNT else 0


def _moment(value: Any) -> datetime | None:
    """Return the time of a Unix timestamp; None for a value that is none."""
    is_number = isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**33
    return datetime.fromtimestamp(value, UTC) if is_number else None


def _object(value: Any) -> Any:
    return value if isinstance(value, dict) else {}


FileStatus = Literal["in_progress", "completed", "cancelled", "failed"]


def _status(value: Any) -> Any:
    return value if value in get_args(FileStatus) else "in_progress"


_Text = Annotated[str, BeforeValidator(_text)]
_Count = Annotated[int, BeforeValidator(_count)]
_Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class FileCounts(BaseModel):
    in_progress: _Count = 0
    failed: _Count = 0
    total: _Count = 0


class VectorStore(BaseModel):
    """A set of documents that questions can search."""

    id: _Id
    name: _Text = ""
    status: _Text = ""
    """expired, in_progress or completed."""
    usage_bytes: _Count = 0
    """Size of the index, which OpenAI charges for."""
    files: Annotated[
        FileCounts, BeforeValidator(_object), Field(validation_alias=AliasChoices("file_counts", "files"))
    ] = FileCounts()
    expires_at: _Moment = None

    @property
    def is_expired(self) -> bool:
        return self.status == "expired"


class LastError(BaseModel):
    code: _Text = ""


class StoredFile(BaseModel):
    """A document in a vector store."""

    id: _Id
    name: _Text = ""
    """Name of the file. OpenAI sends it with the file alone."""
    status: Annotated[FileStatus, BeforeValidator(_status)] = "in_progress"
    last_error: Annotated[LastError, BeforeValidator(_object)] = LastError()
    usage_bytes: _Count = 0
    """Size of its index; zero until OpenAI has counted it."""
    file_bytes: _Count = 0
    """Size of the file itself. OpenAI sends it with the file alone."""
    created_at: _Moment = None


class FileObject(BaseModel):
    """An uploaded file."""

    id: _Id
    filename: _Text = ""
    bytes: _Count = 0


class VectorStoreList(BaseModel):
    data: list[VectorStore] = Field(max_length=MAX_ITEMS)


class StoredFileList(BaseModel):
    data: list[StoredFile] = Field(max_length=MAX_ITEMS)


class FileList(BaseModel):
    data: list[FileObject] = Field(max_length=MAX_ITEMS)
