"""The edge's error tree.

EdgeError
├── UnreadableSource   a camera, video or folder that gives no stills
├── EncodeFailed       a still that could not become a JPEG
├── UnusableKey        a key file that does not hold a key
├── EdgeMistake        a setting or an argument that the person at the keyboard can mend
│   └── AgentRunning   the state folder belongs to another agent
└── SpoolError
    ├── SpoolUnwritable  the disk did not take it: nothing was acknowledged, try again
    ├── SpoolFull        refused by the cap (`reject_new`)
    ├── DamagedItem      a stored batch that is not what was put there
    └── KeyMissing       it is whole, but this device no longer holds the key it was encrypted with
"""


class EdgeError(Exception):
    """Base of everything the edge raises on purpose."""


class UnreadableSource(EdgeError):
    """A camera, video or folder that gives no stills."""


class EncodeFailed(EdgeError):
    """A still that OpenCV could not turn into a JPEG."""


class UnusableKey(EdgeError):
    """A key file that does not hold a key."""


class EdgeMistake(EdgeError):
    """Something the person at the keyboard can mend; the message says how."""


class AgentRunning(EdgeMistake):
    """Another agent works in this state folder."""


class SpoolError(EdgeError):
    """Something about the store on disk."""


class SpoolUnwritable(SpoolError):
    """The disk did not take it: full, broken or read-only. Nothing was acknowledged; another try may succeed."""


class SpoolFull(SpoolError):
    """The cap is reached and the policy is to refuse what is new."""


class DamagedItem(SpoolError):
    """A stored batch that is not what was put there.

    Attributes:
        reason: the quarantine folder it belongs in.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason


class KeyMissing(SpoolError):
    """A whole item, encrypted with a key that this device no longer holds: kept, and not sent."""
