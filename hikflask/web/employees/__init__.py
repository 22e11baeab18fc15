"""Pages of employees: list, form, capture, photos, the terminals of one, and rounds at a camera."""
