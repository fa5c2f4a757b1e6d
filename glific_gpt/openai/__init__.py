"""The gateway to OpenAI: the only importer of the openai library."""
