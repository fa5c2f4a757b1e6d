"""The app for WSGI servers and for the flask command."""

import os
import sys

import config
from glific_gpt.app import create_app
from glific_gpt.errors import SettingsError

# Without this a name server that is down could hold a call for longer than Glific waits (resolv.conf(5)).
os.environ.setdefault("RES_OPTIONS", "timeout:1 attempts:2")

try:
    app = create_app(config.load())
except SettingsError as error:
    sys.exit(f"Error: {error}")
