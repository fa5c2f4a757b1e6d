"""Forms: what people send to the console, and what is wrong with it."""
