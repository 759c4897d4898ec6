"""What people do with understudy, as functions."""
