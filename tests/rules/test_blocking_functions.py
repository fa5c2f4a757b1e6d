"""Functions that block refuse to run on the event loop."""

import ast
from collections.abc import Iterator
from pathlib import Path

import glific_gpt

ROOT = Path(glific_gpt.__file__).parent
WAITS = {"result", "wait", "wait_for", "join", "acquire", "sleep"}
"""Methods of threads, locks, events and futures that wait."""
GUARDS = {"blocking", "require_thread"}
NEVER_ON_THE_LOOP = {
    "server/serving_process.py": "starts and ends the server, and its threads",
    "local/__main__.py": "starts the server of make run",
    "server/watchdog.py": "the watchdog's own thread",
    "runtime/file_descriptors.py": "its own thread, in processes without an event loop",
    "runtime/fair_thread.py": "its own thread; callers wait with bridge.result_of",
    "runtime/fair_threads.py": "starts its threads before the server accepts connections",
    "runtime/cpu_bound.py": "its own thread; callers wait with bridge.result_of",
    "database/late_writes.py": "its own thread",
    "operations/worker.py": "the worker's own threads",
    "operations/secret_monitor.py": "its own thread",
    "durable/failover.py": "the failover's own thread",
    "flows/simulator/conversation.py": "imports errors only; HTTP requests of its callers are guarded",
    "console/views/documents.py": "a page, in a thread; its semaphore refuses the event loop",
    "runtime/thread_slots.py": "slots of threads; `acquire` refuses the event loop",
    "runtime/bridge.py": "decides where to wait: tests/runtime/test_bridge.py",
    "runtime/call_threads.py": "decides where to wait: tests/runtime/test_bridge.py",
    "database/batch_queue.py": "waits for a OneShotEvent, which does not block",
    "database/event_loop_connections.py": "waits with call_threads.wait_for, which does not block",
    "openai/connections.py": "_close_unused reads a task that has ended",
    "openai/fallback.py": "sleeps with bridge.sleep, which does not block",
    "openai/picture_downloads.py": "waits in a thread of its own; _drop reads a task that has ended",
    "openai/gateway.py": "sleeps with bridge.sleep, which does not block",
    "openai/retries.py": "sleeps with bridge.sleep, which does not block",
}


def test_every_function_that_waits_refuses_the_event_loop() -> None:
    unguarded = {
        f"{path.relative_to(ROOT)}: {function.name}"
        for path in ROOT.rglob("*.py")
        if str(path.relative_to(ROOT)) not in NEVER_ON_THE_LOOP
        for function in functions(path)
        if waits(function) and not is_guarded(function)
    }
    assert unguarded == set()


def functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Yield the ordinary functions of a file. A coroutine waits without blocking."""
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))


def waits(function: ast.FunctionDef) -> bool:
    return any(isinstance(node, ast.Call) and is_wait(node) for node in ast.walk(function))


def is_wait(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    has_text = isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Constant | ast.JoinedStr)
    never_blocks = any(keyword.arg == "blocking" for keyword in call.keywords)
    # `"".join(...)` joins texts, and `thread.join()` has no text.
    return name in WAITS and not has_text and not never_blocks and not (name == "join" and call.args)


def is_guarded(function: ast.FunctionDef) -> bool:
    names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
    attributes = {node.attr for node in ast.walk(function) if isinstance(node, ast.Attribute)}
    return bool(GUARDS & (names | attributes))
