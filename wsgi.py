"""Entry point for WSGI servers and the flask command."""

import sys

from flask import Flask

import config
from glific_gpt.errors import SettingsError
from glific_gpt.runtime import garbage_collector

# Before anything resolves a name: the resolver reads its options once.
config.limit_name_resolution()


@garbage_collector.paused_for_start()
def _load() -> Flask:
    # Imported here, because most of the objects that a process creates at its start come from these modules.
    from glific_gpt.app import create_app, create_help_app

    try:
        return create_app(config.load())
    except SettingsError as error:
        # Administrators read the help before they create the settings.
        if "--help" in sys.argv:
            return create_help_app(error)
        sys.exit(f"Error: {error}")


app = _load()
