"""Client of the OpenAI API. No other package imports the openai library."""
