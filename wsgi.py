"""What gunicorn and `flask --app wsgi` load: the app, with the embedded worker where this process serves."""

from hikflask import create_app
from hikflask.worker import start_embedded

app = create_app()
worker = start_embedded(app)
