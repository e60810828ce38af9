"""One declaration, many targets: pure functions from declarations to schemas. No data is read or written here."""
