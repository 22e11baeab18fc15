"""The Flask extensions, one instance of each. create_app() binds them to the app."""

from typing import TYPE_CHECKING

from flask_babel import Babel
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import MetaData, event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import DeclarativeBase

from hikflask.background.queue import TaskQueue
from hikflask.client_pool import TerminalClients
from hikflask.encryption.vault import Vault
from hikflask.metrics.counters import Metrics
from hikflask.owned_session import OwnedSession
from hikflask.signs_of_life import signs

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
BUSY_MILLISECONDS = 10_000


class Model(DeclarativeBase):
    """The base class of all tables. A convention names the constraints, so that Alembic can drop them."""

    metadata = MetaData(naming_convention=NAMING)


# Rows can be read after a commit without a new transaction, so none stays open while a terminal is waited for.
db = SQLAlchemy(model_class=Model, session_options={"class_": OwnedSession, "expire_on_commit": False})
if TYPE_CHECKING:
    Base = Model
else:
    Base = db.Model
csrf = CSRFProtect()
login_manager = LoginManager()
# Sessions are rows in the database, so Flask-Login's check of address and browser is not needed.
login_manager.session_protection = None
babel = Babel()
task_queue = TaskQueue()
terminal_clients = TerminalClients()
vault = Vault()
metrics = Metrics()


@event.listens_for(Engine, "connect")
def _prepare_postgresql(connection: object, record: object) -> None:  # noqa: ARG001
    if not type(connection).__module__.startswith("psycopg"):
        return
    # What a page asks is short: to start workers for it, or to compile it, takes longer than that saves.
    connection.execute("SET max_parallel_workers_per_gather = 0")  # type: ignore[attr-defined]
    connection.execute("SET jit = off")  # type: ignore[attr-defined]
    connection.commit()  # type: ignore[attr-defined]


@event.listens_for(Engine, "before_cursor_execute")
def _give_sign_of_life(*_: object) -> None:
    signs.goes_on()


CACHE_KIB = 32_000


@event.listens_for(Engine, "connect")
def _prepare_sqlite(connection: object, record: object) -> None:  # noqa: ARG001
    if not type(connection).__module__.startswith("sqlite3"):
        return
    cursor = connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    # In KiB. Of a large database a list reads many pages, and again for the next person.
    cursor.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
    # Overwrite deleted data with zeros. Many builds of SQLite only mark it as free.
    cursor.execute("PRAGMA secure_delete=ON")
    cursor.close()
