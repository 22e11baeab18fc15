"""The entry point for gunicorn and `flask --app wsgi`: the app, with the embedded worker if this process serves."""

import os
import sys

from hikflask import create_app
from hikflask.background.worker import start_embedded, this_process_serves
from hikflask.config import ConfigError
from hikflask.metrics import server as metrics_server
from hikflask.startup_checks import announce_first_run, enough_space, prepare

# gunicorn stops completely on this exit status. With any other status it would restart the process for ever.
REFUSED = 3

# Only this account may read the database's files and the photos, wherever the folder is.
os.umask(0o077)
try:
    app = create_app()
    if this_process_serves():
        prepare(app)
        announce_first_run(app)
        metrics_server.start(app, app.config["METRICS_PORT"])
    with enough_space():
        worker = start_embedded(app)
except ConfigError as error:
    print(error, file=sys.stderr)
    sys.exit(REFUSED)
