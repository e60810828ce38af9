"""Tables → an immutable release: canonical files, difference, version, journal, package. No value is computed here."""
