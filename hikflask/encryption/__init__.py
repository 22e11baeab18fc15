"""Secrets at rest: the keys, what is encrypted with them, and how they are changed."""
