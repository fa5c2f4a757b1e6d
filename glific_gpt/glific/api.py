"""Resume a flow by Glific's documented API, which needs a login."""

import json

from pydantic import JsonValue

from glific_gpt.clock import Deadline
from glific_gpt.glific import responses
from glific_gpt.glific.http import HttpClients
from glific_gpt.glific.resumption import ApiAccess, DeliveryResult, Resumption
from glific_gpt.glific.sessions import LoginSessions

GRAPHQL_PATH = "/api"

# https://glific.github.io/slate/#resume-flow-for-a-contact; the name of the type is Json.
MUTATION = (
    "mutation resumeContactFlow($flowId: ID!, $contactId: ID!, $result: Json!) { "
    "resumeContactFlow(flowId: $flowId, contactId: $contactId, result: $result) "
    "{ success errors { key message } } }"
)


def resume(
    http: HttpClients, sessions: LoginSessions, access: ApiAccess, resumption: Resumption, deadline: Deadline
) -> DeliveryResult:
    """Send the result, with a new login if Glific no longer accepts the token. Raises DeliveryError."""
    content = build_body(resumption)
    for _ in range(2):
        token = sessions.token(access, deadline)
        response = http.post(access.api_url + GRAPHQL_PATH, content, deadline, authorization=token)
        if not responses.is_unauthorized(response):
            return responses.interpret_api_response(response)
        sessions.discard(access, token)
    return responses.NOT_PERMITTED


def build_body(resumption: Resumption) -> dict[str, JsonValue]:
    """Return the GraphQL request. Its `result` is a JSON string with the result name as its only key."""
    result = json.dumps({resumption.result_name: resumption.result})
    variables: dict[str, JsonValue] = {
        "flowId": str(resumption.flow_id),
        "contactId": str(resumption.contact_id),
        "result": result,
    }
    return {"query": MUTATION, "variables": variables}
