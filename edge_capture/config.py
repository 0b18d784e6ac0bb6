"""The settings of this process, parsed once at the entry; `EDGE_CAPTURE_...` sets them.

What cameras do comes from the fleet's signed configuration. Here is only what the machine itself decides: where its
state, its keys and the lake are, and what a configuration from outside may not reach.
"""

from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, IPvAnyNetwork, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from edge_capture.addresses import AllowedAddresses, load_credentials
from edge_capture.cameras.opening import CameraAccess
from edge_capture.errors import EdgeMistake
from footfall_assets.contracts.settings import AbsolutePath, LakeAddress

DEFAULT_METRICS_PORT: Final = 9464


class EdgeSettings(BaseSettings):
    """One agent's settings; frozen, absolute paths."""

    model_config = SettingsConfigDict(
        env_prefix="EDGE_CAPTURE_", env_nested_delimiter="__", frozen=True, extra="ignore", validate_default=True
    )

    state: AbsolutePath = Path(".edge-capture")  # spool, identity, configuration; one agent per folder
    lake: LakeAddress = None  # a folder or s3://bucket/prefix
    device_key: AbsolutePath | None = None  # Ed25519, made on first use; by default in the state folder
    spool_key: AbsolutePath | None = None  # AES-256; where it is set no plain batch touches the disk
    credentials: AbsolutePath | None = None  # users and passwords of cameras, mode 0600
    camera_networks: tuple[IPvAnyNetwork, ...] = ()  # that cameras may be in; see AllowedAddresses
    media_root: AbsolutePath | None = None  # where recorded footage may lie; unset refuses it
    ca_file: AbsolutePath | None = None  # certificates that cameras are checked with
    model_cache: AbsolutePath = Path("~/.cache/footfall/models")
    model_mirror: str | None = None
    face_detector: str = "centerface"
    person_detector: str = "yolox_nano"
    threads: int = Field(default=1, ge=1)  # inside ONNX Runtime, per camera
    max_side_px: int | None = Field(default=None, ge=64)  # stills are scaled down to this
    trial_s: float = Field(
        default=60.0, gt=0
    )  # within it every changed camera gives a picture, or the change is undone
    poll_s: float = Field(default=30.0, gt=0)  # between two looks for a newer configuration
    metrics_port: int = Field(default=DEFAULT_METRICS_PORT, ge=0, le=65535)  # on 127.0.0.1; 0 for none
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @property
    def device_key_path(self) -> Path:
        """Where the device's own key is."""
        return self.device_key or self.state / "keys" / "device.key"

    @property
    def spool_folder(self) -> Path:
        """Where batches wait."""
        return self.state / "spool"

    @property
    def status_path(self) -> Path:
        """What `edge-capture status` reads."""
        return self.state / "status.json"

    def require_lake(self) -> str:
        """Return the lake's address.

        Raises:
            EdgeMistake: it is not set.
        """
        if self.lake is None:
            raise EdgeMistake("expected EDGE_CAPTURE_LAKE to name a folder or s3://bucket/prefix, it is not set")
        return self.lake

    def camera_access(self) -> CameraAccess:
        """Return what this device lets cameras be.

        Raises:
            UnusableCredentials: the credentials file cannot be used.
        """
        return CameraAccess(
            credentials=load_credentials(self.credentials) if self.credentials else {},
            allowed=AllowedAddresses(tuple(self.camera_networks)),
            media_root=self.media_root,
            ca_file=self.ca_file,
        )


def load_edge_settings(**overrides: Any) -> EdgeSettings:  # noqa: ANN401 - field values of any type
    """Return the settings from the environment.

    Raises:
        EdgeMistake: a value is not of its type or outside its range.
    """
    try:
        return EdgeSettings(**overrides)
    except ValidationError as error:
        first = error.errors()[0]
        name = "EDGE_CAPTURE_" + "__".join(str(part) for part in first["loc"]).upper()
        raise EdgeMistake(f"{name}: {first['msg']}, got {first['input']!r}; correct or unset it") from error
    except SettingsError as error:
        raise EdgeMistake(f"EDGE_CAPTURE_...: {error}; correct or unset it") from error
