"""Refusals about webhooks. Their sentences are in messages.py."""

from hikflask.services.core.errors import ServiceError


class WebhookAddressRefused(ServiceError):
    """Programs may not be told at this address."""

    code = "webhook_address_refused"
    fields = ("url",)


class WebhooksEnough(ServiceError):
    """There are as many webhooks as there may be (params: n)."""

    code = "webhooks_enough"
    fields = ("url",)


class WebhookUnknown(ServiceError):
    """There is no such webhook any more."""

    code = "webhook_unknown"
