"""What can be wrong with a scene."""


class SceneError(Exception):
    """A scene, camera file or trace holds what it must not: the message names what was found and where."""
