"""The description of the API as OpenAPI 3.1, made from its routes, from the forms that check input, and from what the
calls say of their answers."""
