"""A small client of udata, the software of data.gouv.fr: calls, errors, uploads. What to publish is decided elsewhere."""
