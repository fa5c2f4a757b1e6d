"""Base class of all forms: a CSRF token, and application errors beside their field."""

from flask_wtf import FlaskForm

from glific_gpt.console.presenters.labels import translate_error
from glific_gpt.errors import GlificGptError


class Form(FlaskForm):  # type: ignore[misc] # it ships no types
    """A form of the console."""

    error_status = 422
    """HTTP status of the page that shows this form with its errors."""

    def add_error(self, error: GlificGptError, field: str | None = None) -> None:
        """Show an error beside the field, or above the form if no field is given."""
        texts = [translate_error(error)]
        if field:
            self[field].errors = [*self[field].errors, *texts]
        else:
            self.form_errors: list[str] = [*(self.form_errors or []), *texts]
