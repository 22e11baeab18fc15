"""What the program does, one room for each subject; each says what it owns and which room begins its work.

They join the caller's transaction and know of no request: pages, API, commands and the worker call the same functions.
"""
