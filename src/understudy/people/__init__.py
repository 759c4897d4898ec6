"""Pictures of many people, to learn from."""
