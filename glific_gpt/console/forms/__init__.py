"""Forms of the console: fields, validation and error texts."""
