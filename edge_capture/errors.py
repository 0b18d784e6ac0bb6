"""The edge's error tree."""


class EdgeError(Exception):
    """Base of everything the edge raises on purpose."""


class UnreadableSource(EdgeError):
    """A camera, video or folder that gives no stills."""


class EncodeFailed(EdgeError):
    """A still that OpenCV could not turn into a JPEG."""


class UnusableKey(EdgeError):
    """A key file that does not hold a key."""
