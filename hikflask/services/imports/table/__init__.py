"""How the table of an import is read: which column is which field, and what its cells say."""
