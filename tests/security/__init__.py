"""Attacks, each of which must come to nothing; docs/en/security.md says which item of the checklist each one shows."""
