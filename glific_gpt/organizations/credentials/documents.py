"""Documents of an organization at its OpenAI account: listed, uploaded and removed there. Nothing of them is kept.

The audit trail gets ids alone, because names of files can be personal.
"""

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from glific_gpt.audit import trail
from glific_gpt.audit.actions import Action
from glific_gpt.clock import Deadline
from glific_gpt.database import transaction
from glific_gpt.errors import MSG_DOCUMENT_TYPE, MSG_EMPTY_DOCUMENT, InvalidValue
from glific_gpt.openai.vector_store_schemas import StoredFile, VectorStore
from glific_gpt.organizations.credentials import store
from glific_gpt.organizations.credentials.providers import Provider
from glific_gpt.vault import Vault

# The openai library takes a quarter of the time in which a command starts, and most commands do not need it.
if TYPE_CHECKING:
    from glific_gpt.openai.vector_stores import VectorStores

LIST_SECONDS = 8.0
"""Time limit for the list of stores and documents. A page waits for it."""
UPLOAD_SECONDS = 60.0
MAX_NAME = 100
"""Characters of a document's name. Longer names are cut."""

SEARCHABLE_TYPES = frozenset(
    {
        *(".c", ".cpp", ".cs", ".css", ".doc", ".docx", ".go", ".html", ".java", ".js", ".json", ".md", ".pdf", ".php"),
        *(".pptx", ".py", ".rb", ".sh", ".tex", ".ts", ".txt"),
    }
)
"""Types of files that OpenAI searches. Source: https://developers.openai.com/api/docs/guides/tools-file-search"""


@dataclass(frozen=True)
class Inventory:
    """The vector stores that a key reaches, and the documents of one of them."""

    stores: list[VectorStore]
    selected: VectorStore | None
    """The store with these documents; None if there is no store."""
    files: list[StoredFile]


@dataclass(frozen=True)
class Documents:
    """The documents of one organization. Each method raises GlificGptError."""

    vault: Vault
    provider: Provider
    organization_id: int

    def list_all(self, *wanted: str | None) -> Inventory:
        """Return all stores, and the documents of the first wanted store that exists, else of the newest store."""
        opened = self._open(LIST_SECONDS)
        stores = opened.list_stores()
        by_id = {each.id: each for each in stores}
        found = (by_id[store_id] for store_id in wanted if store_id in by_id)
        selected = next(found, stores[0] if stores else None)
        return Inventory(stores, selected, opened.list_files(selected.id) if selected else [])

    def find_store(self, store_id: str) -> VectorStore:
        """Raises NotFound for a store that the key does not reach."""
        return self._open(LIST_SECONDS).find_store(store_id)

    def create_store(self, name: str) -> str:
        """Create a vector store and return its id."""
        store_id = self._open(LIST_SECONDS).create_store(name).id
        self._record(Action.VECTOR_STORE_CREATED, store=store_id)
        return store_id

    def upload(self, store_id: str, name: str, content: bytes) -> str:
        """Upload a document to a store and return its id. OpenAI then indexes it.

        Raises InvalidValue for an empty document, and for a type that OpenAI does not search.
        """
        name = PurePath(name.replace("\\", "/")).name
        suffix = PurePath(name).suffix
        if suffix.lower() not in SEARCHABLE_TYPES:
            raise InvalidValue(MSG_DOCUMENT_TYPE)
        if not content:
            raise InvalidValue(MSG_EMPTY_DOCUMENT)
        shortened = PurePath(name).stem[: MAX_NAME - len(suffix)] + suffix
        file_id = self._open(UPLOAD_SECONDS).upload(store_id, shortened, content)
        self._record(Action.DOCUMENT_UPLOADED, store=store_id, file=file_id)
        return file_id

    def remove(self, store_id: str, file_id: str) -> None:
        """Take a document out of a store and delete it. Raises NotFound."""
        self._open(LIST_SECONDS).remove(store_id, file_id)
        self._record(Action.DOCUMENT_REMOVED, store=store_id, file=file_id)

    def _open(self, seconds: float) -> "VectorStores":
        return store.open_documents(self.vault, self.organization_id, self.provider, Deadline.after(seconds))

    def _record(self, action: Action, **ids: str) -> None:
        with transaction() as session:
            trail.record(session, action, self.organization_id, **ids)
