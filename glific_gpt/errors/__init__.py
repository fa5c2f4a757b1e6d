"""Every error that a caller or user can get: code, HTTP status, class, and a message that is safe to show."""

# Each module has the errors that one party can fix. Other packages import all of them from here. A list of the names
# would be a second place to change with each error.
from glific_gpt.errors.base import *
from glific_gpt.errors.caller import *
from glific_gpt.errors.files import *
from glific_gpt.errors.management import *
from glific_gpt.errors.organization import *
from glific_gpt.errors.service import *


def errors_by_code() -> dict[str, type[GlificGptError]]:
    """Return the errors that a call can end with. Plugins can have others."""
    bases = (CallerError, OrganizationError, ServiceError)
    return {error.code: error for error in (InternalError, *(each for base in bases for each in base.__subclasses__()))}
