"""The invented files of data/samples: places, draws, writers, one module per network. Nothing here reads real data."""
