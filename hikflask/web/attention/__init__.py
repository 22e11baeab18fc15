"""The start page: what a person must do, and the list of those whom it is about."""
