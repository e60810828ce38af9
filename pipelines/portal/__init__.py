"""The public results site and the posters, made from one published release and nothing else."""
