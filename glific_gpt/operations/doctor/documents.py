"""Check that the vector store that filesearch-gpt searches can be searched."""

from glific_gpt.database import transaction
from glific_gpt.errors import N_, GlificGptError, ModelNotSupported, NotFound
from glific_gpt.models import allowlist
from glific_gpt.openai.traits import searches_files
from glific_gpt.openai.vector_store_schemas import VectorStore
from glific_gpt.operations.doctor.results import CheckResult, CheckStatus
from glific_gpt.organizations import store
from glific_gpt.organizations.credentials.documents import Documents
from glific_gpt.services import services

MSG_NO_STORE = N_("No documents are chosen. Flows that use filesearch-gpt must name a vector store.")
MSG_READY = N_("filesearch-gpt searches %(count)s documents in the vector store %(store)s.")
MSG_GONE = N_("The vector store %(store)s is not at the OpenAI account of this key, or has expired.")
REMEDY_CHOOSE = N_("Choose another vector store on the page Documents.")
MSG_EMPTY = N_("The vector store %(store)s has no documents, so filesearch-gpt answers without them.")
REMEDY_UPLOAD = N_("Upload documents on the page Documents.")
MSG_UNREADABLE = N_("OpenAI could not read %(failed)s of %(count)s documents in the vector store %(store)s.")
REMEDY_REPLACE = N_("Replace these documents on the page Documents.")
REMEDY_AGAIN = N_("Check again in a minute.")
MSG_NO_SEARCH = N_(
    "The default model %(model)s cannot search documents. Flows that use filesearch-gpt must name another model, such "
    "as gpt-4o-mini."
)


def check_documents(slug: str) -> CheckResult:
    """Check the default vector store at OpenAI. Its problems are warnings, because other functions do not need it."""
    with transaction() as session:
        organization = store.find(session, slug)
    store_id = organization.vector_store_id
    if store_id is None:
        return CheckResult("documents", CheckStatus.OK, MSG_NO_STORE)
    command = f"flask organizations set {slug} --vector-store-id ID"
    values: dict[str, object] = {"store": store_id}
    documents = Documents(services().vault, services().model_provider, organization.id)
    try:
        found = documents.find_store(store_id)
    except NotFound:
        return CheckResult("documents", CheckStatus.WARNING, MSG_GONE, REMEDY_CHOOSE, values, command=command)
    except ModelNotSupported as error:  # the key is at a server that is not OpenAI
        return CheckResult("documents", CheckStatus.WARNING, str(error), error_code=error.code)
    except GlificGptError as error:
        detail = error.cause or ""
        return CheckResult(
            "documents", CheckStatus.WARNING, str(error), REMEDY_AGAIN, error_code=error.code, detail=detail
        )
    values["model"] = allowlist.canonical_id(organization.default_model or services().settings.default_model)
    return _evaluate(found, values, command)


def _evaluate(found: VectorStore, values: dict[str, object], command: str) -> CheckResult:
    values |= {"count": found.files.total, "failed": found.files.failed}
    if found.is_expired:
        return CheckResult("documents", CheckStatus.WARNING, MSG_GONE, REMEDY_CHOOSE, values, command=command)
    if not found.files.total:
        return CheckResult("documents", CheckStatus.WARNING, MSG_EMPTY, REMEDY_UPLOAD, values)
    if found.files.failed:
        return CheckResult("documents", CheckStatus.WARNING, MSG_UNREADABLE, REMEDY_REPLACE, values)
    message = MSG_READY if searches_files(str(values["model"])) else MSG_NO_SEARCH
    return CheckResult("documents", CheckStatus.OK, message, values=values)
