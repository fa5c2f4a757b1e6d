"""Client of the OpenAI API. No other package imports the openai library, which has the list of models."""
