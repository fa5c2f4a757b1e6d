"""Errors that the flow's author can fix: the request of the webhook node."""

from glific_gpt.errors.base import N_, CallerError


class InvalidJson(CallerError):
    code, status = "invalid_json", 400
    default_message = N_("The webhook's body is not a JSON object. Check the Function body of the webhook node.")


MSG_INCOMPLETE_BODY = N_("The webhook's body did not arrive completely. Send the request again.")


class Unauthorized(CallerError):
    code, status = "unauthorized", 401
    default_message = N_(
        "The caller could not be identified. Check the address and the Authorization header of the "
        "webhook node, or the webhook signature."
    )


class UnknownFunction(CallerError):
    code, status = "unknown_function", 404
    default_message = N_("There is no function with this name. Check the end of the webhook's address.")


class MethodNotAllowed(CallerError):
    code, status = "method_not_allowed", 405
    default_message = N_("This address accepts only POST. Choose POST in the webhook node.")


class CallInProgress(CallerError):
    code, status = "call_in_progress", 409
    is_temporary = True
    default_message = N_("This call is already being processed. Retry in a few seconds.")


class BodyTooLarge(CallerError):
    code, status = "body_too_large", 413
    default_message = N_("The webhook's body is larger than 1 MiB. Send fewer results in it.")


class EmptyQuestion(CallerError):
    code, status = "empty_question", 422
    default_message = N_("question_text is empty. Send a question in it.")


MSG_EMPTY_QUESTION = N_("The question is empty. Send a question in question.")
"""Message of EmptyQuestion for functions in which the field is named `question`."""


class IdempotencyMismatch(CallerError):
    code, status = "idempotency_mismatch", 422
    default_message = N_(
        "This Idempotency-Key was already used for a call with another body. Send a new key with each new question."
    )


class InvalidField(CallerError):
    code, status = "invalid_field", 422

    @classmethod
    def of(cls, field: str, sentence: str) -> "InvalidField":
        """Return the error of one field. The sentence follows its name."""
        return cls(f"{field}: {sentence}").naming(field)


class UnresolvedVariable(CallerError):
    code, status = "unresolved_variable", 422

    @classmethod
    def of(cls, field: str, variable: str, sentence: str) -> "UnresolvedVariable":
        """Return the error of a variable in a field."""
        return cls(f"{field}: {sentence}").naming(f"{field}: {variable}")


class ModelNotText(CallerError):
    code, status = "model_not_text", 422


class ModelNotSupported(CallerError):
    code, status = "model_not_supported", 422


MSG_NEEDS_TOOLS = "{model} works only with tools that this server does not offer. Choose another model."
"""Message of ModelNotSupported for models of research and of computer use."""
MSG_READS_NO_PICTURES = "{model} cannot read pictures. Choose another model, such as gpt-4o-mini."
"""Message of ModelNotSupported for models of text alone."""
MSG_SEARCHES_NO_FILES = "{model} cannot search documents. Choose another model, such as gpt-4o-mini."
"""Message of ModelNotSupported for models without OpenAI's file search."""


class ModelNotFound(CallerError):
    code, status = "model_not_found", 422


class MissingFlowContext(CallerError):
    code, status = "missing_flow_context", 422


class ContactLimit(CallerError):
    code, status = "contact_limit", 429
    is_temporary = True
    default_message = N_("This contact has reached the organization's daily limit of questions. Try again tomorrow.")
