"""The catalogue of releases as a folder of files and pages, read without a server."""
