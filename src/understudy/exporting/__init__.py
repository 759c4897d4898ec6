"""Actors as files that other programs run: their networks, and how what they are given is drawn."""
