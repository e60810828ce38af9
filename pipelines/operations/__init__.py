"""What operators need around the flow: the instance of Dagster, locks, settings, ``doctor``, lost runs and the purge.

Nothing here knows what a network hands over. With ``cli``, the only room that may import ``assets``.
"""
