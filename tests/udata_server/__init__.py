"""A real udata server for the tests: its environment, its start, its faults. No test of a stage of the pipeline."""
