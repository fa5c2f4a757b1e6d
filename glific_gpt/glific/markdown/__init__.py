"""Convert the Markdown and HTML of language models to WhatsApp's formatting."""

from glific_gpt.glific.markdown.rendering import is_long_work, render

__all__ = ["is_long_work", "render"]
