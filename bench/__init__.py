"""Benchmarks: the product beside a peer or a physical limit, in the same run, in turns. Never timed tests.

``python -m bench`` runs all three, ``python -m bench admit`` (or ``relay``, or ``memory``) runs one. Each
writes its section of ``bench/RESULTS.md``. Nothing but loopback is used.
"""
