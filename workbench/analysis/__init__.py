"""Questions asked of numbers: is it optimal, is it stable, how good is the image, draw it.

Everything here is pure: arrays or tensors in, numbers, words or figures out.
"""
