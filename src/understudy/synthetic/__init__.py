"""Made-up people with exact poses, parts, mattes and flow."""
