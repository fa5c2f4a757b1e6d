"""Tests of the gateway to OpenAI."""
