"""Charts of the site: one call gives the picture (inline SVG), the sentence and the table, from the same figures."""
