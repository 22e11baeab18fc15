"""Pages of administrators: operators, tokens, webhooks, settings, the audit trail, the API's reference, the health."""
