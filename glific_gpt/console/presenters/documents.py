"""Vector stores and documents for their page: names, sizes, states of indexing and cost a day."""

from dataclasses import dataclass, field
from datetime import datetime

from flask_babel import LazyString, gettext, lazy_gettext
from flask_babel import lazy_gettext as _

from glific_gpt.console.presenters.labels import translate_error
from glific_gpt.console.presenters.numbers import format_bytes, format_dollars
from glific_gpt.errors import CredentialInactive, CredentialMissing, GlificGptError
from glific_gpt.models.prices import FREE_STORAGE_BYTES, storage_cost
from glific_gpt.openai.vector_store_schemas import PAGE, StoredFile, VectorStore
from glific_gpt.organizations.credentials.documents import Inventory

STATES: dict[str, tuple[LazyString, str]] = {
    "in_progress": (_("Being indexed"), "yellow"),
    "completed": (_("Ready"), "green"),
    "failed": (_("Not readable"), "red"),
    "cancelled": (_("Stopped"), "secondary"),
}
"""Names and colours of the states of indexing."""
FAILURES = {
    "unsupported_file": _("OpenAI cannot read this type of file. Save it as PDF, Word, text or Markdown."),
    "invalid_file": _("OpenAI cannot read this file. Check that it opens, and that it has text and not only pictures."),
}
BEING_INDEXED = lazy_gettext("being indexed")
OTHER_FAILURE = lazy_gettext("OpenAI could not index this file. Remove it and upload it again.")


@dataclass(frozen=True)
class StoreRow:
    """A vector store in the list."""

    id: str
    name: str
    documents: int
    failed: int
    size: str
    is_default: bool
    is_selected: bool
    is_expired: bool
    expires_at: datetime | None


@dataclass(frozen=True)
class DocumentRow:
    """A document of the selected store."""

    id: str
    name: str
    state: LazyString
    colour: str
    failure: LazyString | None
    size: str
    """Size of the file, or of its index if that of the file is not known."""
    uploaded_at: datetime | None


@dataclass(frozen=True)
class DocumentsPage:
    """Content of the page."""

    stores: list[StoreRow] = field(default_factory=list)
    selected: StoreRow | None = None
    documents: list[DocumentRow] = field(default_factory=list)
    storage: str = ""
    """Size and cost a day of all stores."""
    default_is_missing: bool = False
    """True if the chosen store is not at the key's account."""
    is_indexing: bool = False
    """True if a document is being indexed, so that the page is loaded again."""
    has_more: bool = False
    """True if a list has more entries than the page shows."""
    error: str | None = None
    needs_key: bool = False
    """True if the error is a missing key, or one that is switched off."""


def present_inventory(found: Inventory, default: str | None) -> DocumentsPage:
    rows = [_present_store(store, default, found.selected) for store in found.stores]
    return DocumentsPage(
        stores=rows,
        selected=next((row for row in rows if row.is_selected), None),
        documents=[_present_file(file) for file in found.files],
        storage=_describe_storage(found.stores),
        default_is_missing=default is not None and default not in {store.id for store in found.stores},
        is_indexing=any(file.status == "in_progress" for file in found.files),
        has_more=len(found.stores) >= PAGE or len(found.files) >= PAGE,
    )


def present_failure(error: GlificGptError) -> DocumentsPage:
    """Return the page without documents, because OpenAI could not be asked."""
    needs_key = isinstance(error, CredentialMissing | CredentialInactive)
    return DocumentsPage(error=translate_error(error), needs_key=needs_key)


def _present_store(store: VectorStore, default: str | None, selected: VectorStore | None) -> StoreRow:
    return StoreRow(
        id=store.id,
        name=store.name or store.id,
        documents=store.files.total,
        failed=store.files.failed,
        # Until OpenAI has indexed a document, it does not count it.
        size=str(BEING_INDEXED) if store.files.in_progress else format_bytes(store.usage_bytes),
        is_default=store.id == default,
        is_selected=selected is not None and store.id == selected.id,
        is_expired=store.is_expired,
        expires_at=store.expires_at,
    )


def _present_file(file: StoredFile) -> DocumentRow:
    state, colour = STATES[file.status]
    size = file.file_bytes or file.usage_bytes
    failure = FAILURES.get(file.last_error.code, OTHER_FAILURE) if file.status == "failed" else None
    return DocumentRow(
        id=file.id,
        name=file.name or file.id,
        state=state,
        colour=colour,
        failure=failure,
        size=format_bytes(size) if size else "–",
        uploaded_at=file.created_at,
    )


def _describe_storage(stores: list[VectorStore]) -> str:
    stored_bytes = sum(store.usage_bytes for store in stores)
    if not stored_bytes and any(store.files.in_progress for store in stores):
        return str(gettext("OpenAI is indexing the documents. Their size is not known yet."))
    size, usd = format_bytes(stored_bytes), storage_cost(stored_bytes)
    if usd:
        text = gettext("%(size)s are indexed. OpenAI charges about %(usd)s a day.", size=size, usd=format_dollars(usd))
    else:
        free = format_bytes(FREE_STORAGE_BYTES)
        text = gettext("%(size)s are indexed. OpenAI charges nothing for the first %(free)s.", size=size, free=free)
    return str(text)
