"""Tests of the OpenAI client."""
