"""What people read of what runs left: one set of facts, told in terminals, in the night's record, by mail and as JSON.

Nothing is sent or run from here, and Dagster isn't known: how messages leave and when, ``assets`` says.
"""
