"""The uploaded files of imports: how they are stored, and archives of photos, which are written without a person.

services/imports keeps them, and an erasure (services/privacy) goes through them.
"""
