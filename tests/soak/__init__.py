"""The soak: a real cluster under random faults for as long as asked, and whether it kept its word.

`python -m tests.soak` runs it; `docs/reliability.md` says what its figures mean. Pytest collects
none of it.
"""
