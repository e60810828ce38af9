"""Tests of all months → the tables of signals that are published: cards, curves, counts of tests, secrecy."""
