"""Extensions that are bound to an app by the factory."""

from flask_migrate import Migrate

migrate = Migrate()
