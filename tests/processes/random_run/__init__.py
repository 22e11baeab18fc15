"""Lets operators, programs, imports, comparisons, erasures, passages and terminals that go meet at random.

`python -m tests.processes.random_run [--database postgresql] [--seconds 600] [--seed N]`: two serving processes, two
workers and four simulated terminals on loopback, a program that follows all events, and a receiver of webhooks; every
few seconds a process is killed with SIGKILL. Now and then all pause, the work that is open is awaited, and what is
promised is compared with the terminals' memory (recount.py). The exit status is 1 when anything is broken.

What several did at once may end with the value of any of them; what somebody saved later than all others must stay.
"""
