"""Answers to a barometer → its tables: shares and scores by group of people, compared over waves and groups."""
