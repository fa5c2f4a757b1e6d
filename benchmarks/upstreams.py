"""The upstream of all systems, fast or slow: nginx if it is installed because it uses the least CPU, else Python."""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from benchmarks.programs import run_program
from benchmarks.upstream import ANSWER
from tests.support.programs import free_port

MAX_CONNECTIONS = 16_384
"""Maximum number of concurrent calls of the slow upstream."""

ECHO = Path("/usr/lib/nginx/modules/ngx_http_echo_module.so")
"""The nginx module that delays answers, from Debian's package libnginx-mod-http-echo."""

NGINX = """
{modules}
daemon off;
worker_processes 1;
worker_rlimit_nofile {max_connections};
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections {max_connections}; }}
http {{
    access_log off;
    keepalive_timeout 600;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/bodies;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type application/json;
        location = / {{ return 200; }}
        location / {{ {answers} }}
    }}
}}
"""


@contextmanager
def run_fast_upstream() -> Iterator[str]:
    """Yield the base URL of an upstream that answers immediately."""
    upstream = _run_nginx(f"return 200 '{ANSWER.decode()}';") if shutil.which("nginx") else _run_uvicorn(0)
    with upstream as url:
        yield url


@contextmanager
def run_slow_upstream(seconds: float) -> Iterator[str]:
    """Yield the base URL of an upstream that answers after this time."""
    answers = f"echo_sleep {seconds}; echo '{ANSWER.decode()}';"
    upstream = _run_nginx(answers, f"load_module {ECHO};") if _has_echo_module() else _run_uvicorn(seconds)
    with upstream as url:
        yield url


@contextmanager
def _run_nginx(answers: str, modules: str = "") -> Iterator[str]:
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nginx changes to another user if root starts it
        configuration = Path(folder, "nginx.conf")
        values = {"folder": folder, "port": port, "modules": modules, "answers": answers}
        configuration.write_text(NGINX.format(max_connections=MAX_CONNECTIONS, **values))
        command = ["nginx", "-e", f"{folder}/errors", "-p", folder, "-c", str(configuration)]
        with run_program(command, f"http://127.0.0.1:{port}/"):
            yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def run_slow_upstream_for_most(seconds: float, immediate_key: str) -> Iterator[str]:
    """Yield the base URL of an upstream that answers after this time, and one API key immediately."""
    with _run_uvicorn(seconds, immediate_key) as url:
        yield url


@contextmanager
def _run_uvicorn(seconds: float, immediate_key: str = "") -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "benchmarks.upstream:app", "--port", str(port), "--log-level", "error"]
    command += ["--http", "httptools", "--lifespan", "off", "--backlog", str(MAX_CONNECTIONS)]
    environ = {"WAIT_SECONDS": str(seconds), "IMMEDIATE_KEY": immediate_key}
    with run_program(command, f"http://127.0.0.1:{port}/", environ):
        yield f"http://127.0.0.1:{port}/v1"


def _has_echo_module() -> bool:
    return shutil.which("nginx") is not None and ECHO.exists()


def fast_upstream_name() -> str:
    return _nginx_name() if shutil.which("nginx") else _uvicorn_name()


def slow_upstream_name() -> str:
    return f"{_nginx_name()} with its echo module" if _has_echo_module() else _uvicorn_name()


def _nginx_name() -> str:
    command = [str(shutil.which("nginx")), "-v"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\S+)", output)
    return f"nginx {found[1] if found else 'of an unknown version'}"


def _uvicorn_name() -> str:
    return f"uvicorn {version('uvicorn')}"
