"""From video to Performance: poses, mattes and flow."""
