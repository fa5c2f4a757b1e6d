"""Resuming a flow by Glific's documented API, with a login."""

import json

from pydantic import JsonValue

from glific_gpt.clock import Deadline
from glific_gpt.glific import replies
from glific_gpt.glific.http import HttpClients
from glific_gpt.glific.resume import ApiAccess, Resumption, Verdict
from glific_gpt.glific.sessions import Sessions

PATH = "/api"

# https://glific.github.io/slate/#resume-flow-for-a-contact; the type is called Json.
MUTATION = (
    "mutation resumeContactFlow($flowId: ID!, $contactId: ID!, $result: Json!) { "
    "resumeContactFlow(flowId: $flowId, contactId: $contactId, result: $result) "
    "{ success errors { key message } } }"
)


def resume(
    http: HttpClients, sessions: Sessions, access: ApiAccess, resumption: Resumption, deadline: Deadline
) -> Verdict:
    """Sends it, with a new login if the token is not accepted any more. Raises Undelivered."""
    sent = body(resumption)
    for _ in range(2):
        token = sessions.token(access, deadline)
        reply = http.post(access.api_url + PATH, sent, deadline, authorization=token)
        if not replies.is_unauthorized(reply):
            return replies.of_api(reply)
        sessions.forget(access, token)
    return replies.NO_RIGHT


def body(resumption: Resumption) -> dict[str, JsonValue]:
    """The GraphQL request; the result is a string of JSON in it, under the one name that the flow reads."""
    result = json.dumps({resumption.result_name: resumption.result})
    variables: dict[str, JsonValue] = {
        "flowId": str(resumption.flow_id),
        "contactId": str(resumption.contact_id),
        "result": result,
    }
    return {"query": MUTATION, "variables": variables}
