"""Convert the Markdown and HTML of language models to WhatsApp's formatting."""

from glific_gpt.glific.markdown.rendering import estimate_work, is_long_work, render

__all__ = ["estimate_work", "is_long_work", "render"]
