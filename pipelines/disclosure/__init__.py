"""Statistical disclosure control of the results: what the rule hides, what is hidden with it, what a reader may know.

Values are computed elsewhere; here they are only hidden. Rows of ``resultats`` become arrays in ``surveys``;
``pattern`` decides on them what is hidden, ``bounds`` proves it by a formula.
"""
