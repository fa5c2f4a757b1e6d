"""The folder in which the processes of this machine keep their metrics."""

import hashlib
import os
import tempfile
from pathlib import Path

from sqlalchemy.engine import URL

from glific_gpt.settings import Settings


def metrics_folder(settings: Settings, url: URL) -> Path:
    """Return the folder of the settings, or else one that all processes on the same database find.

    It is beside a SQLite file, in a folder that the server can write to. For PostgreSQL it is in the folder for
    temporary files, with the number of the operating system's user in its name.
    """
    if settings.metrics_dir:
        return settings.metrics_dir
    if url.get_backend_name() == "sqlite":
        return Path(f"{url.database}.metrics")
    database = f"{url.host}:{url.port}/{url.database}"
    digest = hashlib.sha256(database.encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"glific_gpt_metrics_{os.geteuid()}_{digest}"
