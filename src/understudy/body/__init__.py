"""A human body: skeleton, dressed figure as a skinned mesh, rasteriser; nothing here knows of cameras or motions."""
