"""The upstream that all sides ask: nginx where it is installed, as it costs least; or one that takes its time."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from benchmarks.serving import serving
from benchmarks.upstream import ANSWER
from tests.support.programs import free_port

WAITING_ROOM = "16384"
"""How many calls the upstream that takes its time holds at once."""

NGINX = """
daemon off;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/errors;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_timeout 600;
    keepalive_requests 100000000;
    client_body_temp_path {folder}/bodies;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        default_type application/json;
        location / {{ return 200 '{answer}'; }}
    }}
}}
"""


@contextmanager
def quick() -> Iterator[str]:
    """The base URL of one that answers at once."""
    nginx = shutil.which("nginx")
    if nginx is None:
        with slow(0) as url:
            yield url
        return
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # nginx takes on another user where it is started by root
        configuration = Path(folder, "nginx.conf")
        configuration.write_text(NGINX.format(folder=folder, port=port, answer=json.dumps(json.loads(ANSWER))))
        command = [nginx, "-e", f"{folder}/errors", "-p", folder, "-c", str(configuration)]
        with serving(command, f"http://127.0.0.1:{port}/"):
            yield f"http://127.0.0.1:{port}/v1"


@contextmanager
def slow(seconds: float) -> Iterator[str]:
    """The base URL of one that answers after that time."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "rsgi", "--port", str(port), "--no-log"]
    command += ["--backlog", WAITING_ROOM, "--backpressure", WAITING_ROOM, "benchmarks.upstream:app"]
    with serving(command, f"http://127.0.0.1:{port}/", {"WAIT_SECONDS": str(seconds)}):
        yield f"http://127.0.0.1:{port}/v1"


def quick_name() -> str:
    nginx = shutil.which("nginx")
    if nginx is None:
        return slow_name()
    said = subprocess.run([nginx, "-v"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"nginx/(\S+)", said)
    return f"nginx {found[1] if found else 'of an unknown version'}"


def slow_name() -> str:
    return f"granian {version('granian')} (asyncio)"
