"""The ground that every room stands on, one subject a module. Imports nothing of the project."""
