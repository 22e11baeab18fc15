"""Pages of consents and erasures."""
