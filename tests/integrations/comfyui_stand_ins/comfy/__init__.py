"""Stand-ins of ComfyUI's `comfy`."""
