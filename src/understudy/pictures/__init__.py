"""Pictures for people's eyes: drawings, lettering, pages. Nothing here feeds a network."""
