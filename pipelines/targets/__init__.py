"""Releases → somewhere else: what is wanted there, the plan, its application. The folder and udata are two targets."""
