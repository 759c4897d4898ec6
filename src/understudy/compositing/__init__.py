"""Cutting the performer out, and what stands behind."""
