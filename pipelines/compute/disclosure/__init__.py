"""Statistical disclosure control of the results: what is hidden, what is hidden with it, and the attacker's audit.

Values are computed elsewhere; here they are only hidden.
"""
