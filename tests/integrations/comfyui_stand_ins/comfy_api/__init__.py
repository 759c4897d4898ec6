"""Stand-ins of ComfyUI's `comfy_api`."""
