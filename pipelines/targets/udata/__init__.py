"""A small client of udata, the software of data.gouv.fr: calls, errors, uploads. What to send is decided elsewhere."""
