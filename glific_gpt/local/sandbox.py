"""The sandbox: a stand-in for the OpenAI API on loopback, so that `make run` works without a key."""

import json
import threading
import time
import uuid
from typing import Any, cast

from flask import Flask, Response, abort, current_app, jsonify, request
from werkzeug.exceptions import HTTPException, Unauthorized
from werkzeug.serving import WSGIRequestHandler, make_server

from glific_gpt.local.sandbox_documents import DocumentRequest, Documents, Refusal

DOCUMENTS = "documents"

# fmt: off
MODELS = [
    "gpt-3.5-turbo", "gpt-4o", "gpt-4o-mini", "gpt-4.1", "gpt-4.1-mini", "gpt-5", "gpt-5-mini", "gpt-5-pro",
    "o3", "o4-mini", "gpt-4o-audio-preview", "gpt-realtime", "gpt-4o-transcribe", "whisper-1",
    "gpt-4o-mini-tts", "tts-1", "gpt-image-1", "text-embedding-3-small", "gpt-3.5-turbo-instruct",
]
# fmt: on

_EXAMPLES = {"number": 1, "integer": 1, "boolean": True, "null": None}


def create_sandbox(documents: Documents | None = None) -> Flask:
    """Create the sandbox as a Flask app under `/v1`: models, chat completions, responses, files and vector stores.

    Nothing is streamed. Without `documents`, files are kept in memory.

    Shapes: https://platform.openai.com/docs/api-reference
    """
    sandbox = Flask(__name__)
    sandbox.extensions[DOCUMENTS] = documents or Documents()
    sandbox.before_request(_require_key)
    sandbox.register_error_handler(HTTPException, _error)
    sandbox.add_url_rule("/v1/models", view_func=_models)
    sandbox.add_url_rule("/v1/chat/completions", view_func=_chat, methods=["POST"])
    sandbox.add_url_rule("/v1/responses", view_func=_responses, methods=["POST"])
    for path in ("files", "vector_stores"):
        for rule in (f"/v1/<any({path}):_>", f"/v1/<any({path}):_>/<path:_below>"):
            sandbox.add_url_rule(rule, view_func=_documents, methods=["GET", "POST", "DELETE"])
    return sandbox


def start(documents: Documents | None = None, host: str = "127.0.0.1", port: int = 0) -> str:
    """Serve the sandbox in a daemon thread and return its base URL. Port 0 means any free port.

    Raises SystemExit, as werkzeug does, if the port is in use.
    """
    server = make_server(host, port, create_sandbox(documents), threaded=True, request_handler=_QuietRequestHandler)
    threading.Thread(target=server.serve_forever, name="openai-sandbox", daemon=True).start()
    return f"http://{host}:{server.server_port}/v1"


class _QuietRequestHandler(WSGIRequestHandler):
    # A log line for each call would hide the server's own log in the terminal.
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _key() -> str:
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


def _require_key() -> None:
    if not _key():
        abort(401, "You didn't provide an API key. The sandbox accepts any key: Authorization: Bearer YOUR_KEY.")


def _error(error: HTTPException) -> tuple[Response, int]:
    code = "invalid_api_key" if isinstance(error, Unauthorized) else None
    detail = {"message": error.description, "type": "invalid_request_error", "param": None, "code": code}
    return jsonify(error=detail), error.code or 500


def _models() -> Response:
    listed = [{"id": name, "object": "model", "created": 1715367049, "owned_by": "system"} for name in MODELS]
    return jsonify(object="list", data=listed)


def _chat() -> Response:
    body = _body()
    format_ = body.get("response_format") or {}
    text = _answer(body["model"], body.get("messages"), format_ | format_.get("json_schema", {}))
    message = {"role": "assistant", "content": text, "refusal": None}
    return jsonify(
        id=f"chatcmpl-{uuid.uuid4().hex}",
        object="chat.completion",
        created=int(time.time()),
        model=body["model"],
        choices=[{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        usage=_usage("prompt_tokens", body.get("messages"), "completion_tokens", text),
    )


def _responses() -> Response:
    body = _body()
    format_ = (body.get("text") or {}).get("format") or {}
    found = _search(body)
    text = _answer(body["model"], body.get("input"), format_)
    search = {"id": f"fs_{uuid.uuid4().hex}", "type": "file_search_call", "status": "completed", "results": None}
    citations = [
        {"type": "file_citation", "index": len(text), "file_id": file_id, "filename": name}
        for file_id, name in found or []
    ]
    if found is not None:
        text += " ".join([" I searched your documents.", *(f"【4:{at}†source】" for at in range(len(found)))])
    content = [{"type": "output_text", "text": text, "annotations": citations}]
    message = {"type": "message", "role": "assistant", "status": "completed", "content": content}
    return jsonify(
        id=f"resp_{uuid.uuid4().hex}",
        object="response",
        created_at=int(time.time()),
        status="completed",
        error=None,
        incomplete_details=None,
        model=body["model"],
        output=[*([search] if found is not None else []), message | {"id": f"msg_{uuid.uuid4().hex}"}],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        usage=_usage("input_tokens", body.get("input"), "output_tokens", text),
    )


def _documents(**_parts: str) -> tuple[Response, int]:
    """Answer a request to an endpoint of files or vector stores."""
    asked = DocumentRequest(
        request.method,
        request.path.removeprefix("/v1"),
        request.args,
        _key(),
        request.content_type or "",
        request.get_data(),
        request.get_json(force=True, silent=True),
    )
    status, body = _stored_documents().answer(asked)
    return jsonify(body), status


def _stored_documents() -> Documents:
    return cast("Documents", current_app.extensions[DOCUMENTS])


def _search(body: dict[str, Any]) -> list[tuple[str, str]] | None:
    """Return the files that a search of this question finds; None if it searches no documents."""
    tool = next((tool for tool in body.get("tools") or [] if tool.get("type") == "file_search"), None)
    if tool is None:
        return None
    try:
        return _stored_documents().names_in(_key(), tool.get("vector_store_ids") or [])[:3]
    except Refusal as refusal:
        abort(refusal.status, str(refusal))


def _body() -> dict[str, Any]:
    body = request.get_json(force=True, silent=True)
    if not isinstance(body, dict) or not isinstance(body.get("model"), str):
        abort(400, "The body must be a JSON object with a model.")
    return body


def _answer(model: str, conversation: Any, format_: dict[str, Any]) -> str:
    """Return the answer to the newest message, as JSON if the requested format (`type`, `schema`) is JSON."""
    question, earlier = _last_text(conversation), _earlier_questions(conversation)
    remembered = f' Before that, you asked: "{earlier[-1][:500]}".' if earlier else ""
    text = (
        f'[sandbox] You asked {model}: "{question[:500]}".{remembered} With a real OpenAI key, you get its answer here.'
    )
    if format_.get("type") == "json_schema":
        return json.dumps(_example(format_.get("schema"), text))
    return json.dumps({"answer": text}) if format_.get("type") == "json_object" else text


def _example(schema: Any, text: str) -> Any:
    """Return a value that matches a simple JSON Schema. Unsupported parts (such as `$ref`) become the text."""
    schema = schema if isinstance(schema, dict) else {}
    if schema.get("enum"):
        return schema["enum"][0]
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {name: _example(part, text) for name, part in schema.get("properties", {}).items()}
    return [_example(schema.get("items"), text)] if kind == "array" else _EXAMPLES.get(kind, text)


def _last_text(conversation: Any) -> str:
    """Return the text of the newest message in `messages` (chat) or `input` (Responses API)."""
    last = conversation[-1] if isinstance(conversation, list) and conversation else conversation
    content = last.get("content") if isinstance(last, dict) else last
    if isinstance(content, list):  # a question with a picture
        texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        return " ".join([*texts, "(with a picture)"] if len(texts) < len(content) else texts)
    return content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)


def _earlier_questions(conversation: Any) -> list[str]:
    """Return the questions before the newest message, which came from the memory of the call."""
    messages = conversation[:-1] if isinstance(conversation, list) else []
    return [_last_text([each]) for each in messages if isinstance(each, dict) and each.get("role") == "user"]


def _usage(input_name: str, messages: Any, output_name: str, text: str) -> dict[str, int]:
    # About four characters per token, OpenAI's rule of thumb.
    input_tokens, output_tokens = len(json.dumps(messages)) // 4 + 1, len(text) // 4 + 1
    return {input_name: input_tokens, output_name: output_tokens, "total_tokens": input_tokens + output_tokens}
