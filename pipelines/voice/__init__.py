"""Texts of users → voices: masked, counted once each, with their themes. Nothing of a text leaves this room."""
