"""Every estimator a second time, in plain pandas, sharing no code with the first: it judges what the pipeline gives.

It starts from the accepted rows that ``pipelines.explain`` reads again in the archive, by a reading of its own.
"""
