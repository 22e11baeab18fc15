"""The app as it is served, with one page more: an empty one for whoever is signed in, to compare the others with."""

from flask import render_template_string

from hikflask.http.permissions import VIEWER, allow
from tests.benchmarks.pages import EMPTY
from wsgi import app


@app.get(EMPTY)
@allow(VIEWER)
def empty_page() -> str:
    """A page with nothing but the header."""
    return render_template_string("{% extends 'base.html' %}{% block main %}{% endblock %}")
