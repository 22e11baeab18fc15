"""`flask --app wsgi webhook …`: list webhooks, and delete one while no page can be opened."""

import click
from flask.cli import with_appcontext

from hikflask.cli.console import CommandGroup, table
from hikflask.forms.fields import MAX_ID
from hikflask.services.webhooks import registry


@click.group(cls=CommandGroup)
def webhook() -> None:
    """Webhooks, by which programs are told of enrolments, alarms and passages."""


@webhook.command("list")
@with_appcontext
def list_webhooks() -> None:
    """List the webhooks: number, state, events and address; their secrets are not shown."""
    rows = [
        (str(row.id), "active" if row.is_active else "switched off", ", ".join(row.events), row.url)
        for row in registry.list_all()
    ]
    click.echo(table(("ID", "STATE", "EVENTS", "ADDRESS"), rows))


@webhook.command("delete")
@click.argument("webhook_id", type=click.IntRange(1, MAX_ID))
@with_appcontext
def delete_webhook(webhook_id: int) -> None:
    """Delete a webhook with its log; nothing more is sent to its address."""
    registry.delete(webhook_id)
    click.echo(f"Webhook {webhook_id} is deleted.")
