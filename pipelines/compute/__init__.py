"""Typed observations to results, and results to the national tables. No file formats of exports, no publication."""
