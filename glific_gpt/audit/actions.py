"""Actions of users and programs that the audit trail records. The values are stored in the database."""

from enum import StrEnum


class Action(StrEnum):
    """An action that changes something."""

    ORGANIZATION_CREATED = "organization_created"
    ORGANIZATION_CHANGED = "organization_changed"
    ORGANIZATION_ACTIVATED = "organization_activated"
    ORGANIZATION_DEACTIVATED = "organization_deactivated"
    ORGANIZATION_EXPORTED = "organization_exported"
    ORGANIZATION_DELETED = "organization_deleted"
    CREDENTIAL_SAVED = "credential_saved"
    CREDENTIAL_ACTIVATED = "credential_activated"
    CREDENTIAL_DEACTIVATED = "credential_deactivated"
    CREDENTIAL_DELETED = "credential_deleted"
    TOKEN_CREATED = "token_created"  # noqa: S105 - names of actions, not secrets
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    API_TOKEN_CREATED = "api_token_created"  # noqa: S105
    API_TOKEN_REVOKED = "api_token_revoked"  # noqa: S105
    SIGNATURE_PHRASE_SET = "signature_phrase_set"
    SIGNATURE_PHRASE_CLEARED = "signature_phrase_cleared"
    MODELS_ALLOWED = "models_allowed"
    SERVER_MODELS_ALLOWED = "server_models_allowed"
    VECTOR_STORE_CREATED = "vector_store_created"
    DOCUMENT_UPLOADED = "document_uploaded"
    DOCUMENT_REMOVED = "document_removed"
    GLIFIC_CONNECTED = "glific_connected"
    GLIFIC_DISCONNECTED = "glific_disconnected"
    CALL_RETRIED = "call_retried"
    CONTACT_FORGOTTEN = "contact_forgotten"
    MEMBER_ADDED = "member_added"
    MEMBER_ROLE_CHANGED = "member_role_changed"
    MEMBER_REMOVED = "member_removed"
    INVITATION_REFUSED = "invitation_refused"
    ADMINISTRATOR_ADDED = "administrator_added"
    ADMINISTRATOR_REMOVED = "administrator_removed"
    PERSON_ACTIVATED = "person_activated"
    PERSON_DEACTIVATED = "person_deactivated"
    PERSON_DELETED = "person_deleted"
    SIGNED_IN = "signed_in"
    SIGN_IN_FAILED = "sign_in_failed"
    UNKNOWN_SIGN_IN_FAILED = "unknown_sign_in_failed"
    PASSWORD_CHECK_FAILED = "password_check_failed"  # noqa: S105
    CODE_CHECK_FAILED = "code_check_failed"
    SET_UP_FAILED = "set_up_failed"
    SIGNED_OUT = "signed_out"
    SIGNED_OUT_HERE = "signed_out_here"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    PASSWORD_RESET = "password_reset"  # noqa: S105
    PASSWORD_LINK_REQUESTED = "password_link_requested"  # noqa: S105
    TWO_FACTOR_ENABLED = "two_factor_enabled"
    TWO_FACTOR_DISABLED = "two_factor_disabled"
    TWO_FACTOR_REQUIRED = "two_factor_required"
    TWO_FACTOR_OPTIONAL = "two_factor_optional"
    RECOVERY_CODES_CREATED = "recovery_codes_created"
    RECOVERY_CODE_USED = "recovery_code_used"
    SIGN_IN_LINK_MADE = "sign_in_link_made"
    RUPEE_RATE_SET = "rupee_rate_set"
    RUPEE_RATE_REMOVED = "rupee_rate_removed"
    KEYS_ROTATED = "keys_rotated"
    KEYS_ACCEPTED = "keys_accepted"
    CALLS_PRUNED = "calls_pruned"
