"""Is this video real, or did a program of this kind generate it?"""
