"""One who acts, and another who comes before one of the first one's statements: what is promised holds afterwards.

`python -m tests.invariants.preemption` tries all pairs at all statements; tests/invariants/test_preemption.py some.
"""
