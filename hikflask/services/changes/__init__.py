"""Changes of many people, whatever proposes them: agreed to, started, run item by item, reported, stopped, retried.

Pages, API, commands and the worker's sweep start one (lifecycle.py), and the worker runs it (run.py). What a kind
proposes and writes is in its provider's room (services/providers).
"""
