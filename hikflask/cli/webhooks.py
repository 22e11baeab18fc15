"""`flask --app wsgi webhook …`: list webhooks, and delete one while no page can be opened."""

import click
from flask.cli import with_appcontext

from hikflask import messages
from hikflask.cli.database import DatabaseGroup
from hikflask.cli.tables import table
from hikflask.forms.fields import LARGEST_ID
from hikflask.services import audit
from hikflask.services.core.errors import ServiceError
from hikflask.services.webhooks import registry


@click.group(cls=DatabaseGroup)
def webhook() -> None:
    """Webhooks, by which programs are told of enrolments."""


@webhook.command("list")
@with_appcontext
def list_webhooks() -> None:
    """List the webhooks: number, state, events and address; their secrets are not shown."""
    rows = [
        (str(one.id), "active" if one.is_active else "switched off", ", ".join(one.events), one.url)
        for one in registry.list_all()
    ]
    click.echo(table(("ID", "STATE", "EVENTS", "ADDRESS"), rows))


@webhook.command("delete")
@click.argument("webhook_id", type=click.IntRange(1, LARGEST_ID))
@with_appcontext
def delete_webhook(webhook_id: int) -> None:
    """Delete a webhook with its log; nothing more is sent to its address."""
    try:
        with audit.acting(audit.COMMAND_LINE):
            registry.delete(webhook_id)
    except ServiceError as error:
        raise click.ClickException(messages.english(error.code, **error.params)) from error
    click.echo(f"Webhook {webhook_id} is deleted.")
