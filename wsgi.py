"""What gunicorn and `flask --app wsgi` load: the app, with the embedded worker where this process serves."""

import os
import sys

from hikflask import create_app
from hikflask.background.worker import start_embedded, this_process_serves
from hikflask.config import ConfigError
from hikflask.startup_checks import announce_first_run, prepare

# gunicorn ends as a whole on this status; after another one it would start the same process again for ever.
REFUSED = 3

# The database's files and the photos are for this account alone, wherever the folder is.
os.umask(0o077)
try:
    app = create_app()
    if this_process_serves():
        prepare(app)
        announce_first_run(app)
except ConfigError as error:
    print(error, file=sys.stderr)
    sys.exit(REFUSED)
worker = start_embedded(app)
