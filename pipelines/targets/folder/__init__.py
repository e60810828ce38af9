"""The latest files of every dataset in a folder, under names that stay."""
