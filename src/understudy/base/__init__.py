"""What everything stands on: files, progress, threads, devices, signals."""
