"""What goes from node to node beside ComfyUI's own kinds: where something lies, and poses as other packs have them."""

from __future__ import annotations

from comfy_api.latest import io

CATEGORY = "understudy"

Performance = io.Custom("UNDERSTUDY_PERFORMANCE")
"""`pathlib.Path` of a performance, a folder: a tracked clip"""
Actor = io.Custom("UNDERSTUDY_ACTOR")
"""`pathlib.Path` of an actor, a file"""
PoseKeypoint = io.Custom("POSE_KEYPOINT")
"""as comfyui_controlnet_aux has it: a list with a dict of OpenPose's JSON for every frame, see `posing`"""
