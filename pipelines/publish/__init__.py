"""Results → release: canonical files, difference, version, package, local catalogue. No value is computed here."""
