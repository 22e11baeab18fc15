"""Terminals: their address and password, what they are and can do, and who may talk to one at a moment.

web/terminals and the worker's checks begin its work; every room talks to a terminal by it (connection.py).
"""
