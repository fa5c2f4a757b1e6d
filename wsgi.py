"""Entry point for WSGI servers and the flask command."""

import sys

import config
from glific_gpt.app import create_app
from glific_gpt.errors import SettingsError

# Before anything resolves a name: the resolver reads its options once.
config.limit_name_resolution()

try:
    app = create_app(config.load())
except SettingsError as error:
    sys.exit(f"Error: {error}")
