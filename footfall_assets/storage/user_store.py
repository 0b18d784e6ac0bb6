"""The users of a home in one file, readable by its owner only, and the checking of passwords."""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from filelock import FileLock
from pydantic import ValidationError

from footfall_assets.contracts.access import PasswordHash, User, Users
from footfall_assets.contracts.errors import UserMistake
from footfall_assets.storage.lake import written_whole

_FILE: Final = "users.json"
_OWNER_ONLY: Final = 0o700
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_SALT_BYTES: Final = 16
_DIGEST_BYTES: Final = 32
# OWASP's password storage cheat sheet (2024): scrypt with N = 2^15, r = 8, p = 3; 32 MB and about 0.3 s a try.
_COST: Final = 2**15
_BLOCK_SIZE: Final = 8
_PARALLELISM: Final = 3
_MEMORY_FACTOR: Final = 2  # over the 128 N r bytes that scrypt needs
LEAST_PASSWORD: Final = 12  # characters; NIST SP 800-63B asks for 8 and more
MOST_PASSWORD: Final = 1024  # characters; hashing must not be a way to keep the server busy


def users_path(access_dir: Path) -> Path:
    """Return where the users of a home are kept."""
    return access_dir / _FILE


def read_users(access_dir: Path) -> Users | None:
    """Return the users of a home; None where there is no file, which is not the same as a file without users.

    Raises:
        UserMistake: somebody else than its owner may read or write the file, or it holds something else.
    """
    path = users_path(access_dir)
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & _OTHERS:
                raise UserMistake(f"{path}: expected a file for its owner only; run: chmod 600 {path}")
            document = file.read()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserMistake(f"cannot read the users in {path}: {error.strerror}") from error
    try:
        return Users.model_validate_json(document)
    except ValidationError as error:
        first = error.errors(include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise UserMistake(f"{path}: expected users, got {field}: {first['msg']}; restore it from a backup") from error


def change_users(access_dir: Path, change: Callable[[Users], Users], *, record: Callable[[], object]) -> Users:
    """Apply `change` to the users of a home and return the result; one change at a time, whole or not at all.

    `record` writes down that it happens; it is called before anything is changed, and where it fails nothing is.

    Raises:
        UserMistake: the changed users contradict themselves, or the file cannot be read.
    """
    access_dir.mkdir(parents=True, exist_ok=True, mode=_OWNER_ONLY)
    with FileLock(access_dir / "users.lock"):
        try:
            changed = change(read_users(access_dir) or Users())
        except ValidationError as error:
            raise UserMistake(
                "; ".join(str(problem["msg"]) for problem in error.errors(include_input=False))
            ) from error
        record()
        with written_whole(users_path(access_dir)) as file:  # made with mode 0600
            file.write(changed.model_dump_json(indent=1).encode())
    return changed


def hash_password(password: str, *, cost: int | None = None) -> PasswordHash:
    """Return a freshly salted hash of `password`.

    Raises:
        UserMistake: it is too short to be one, or too long.
    """
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD:
        raise UserMistake(f"expected a password of {LEAST_PASSWORD} to {MOST_PASSWORD} characters, got {len(password)}")
    blank = _blank(secrets.token_bytes(_SALT_BYTES), cost or _COST)
    return blank.model_copy(update={"digest": _scrypt(password, blank).hex()})


def matching_user(users: Users, name: str, password: str) -> User | None:
    """Return the user of `name` when `password` is theirs; takes as long for a name that nobody has."""
    user = users.named(name)
    kept = user.password if user and user.password else _decoy(users)
    found = _scrypt(password[:MOST_PASSWORD], kept)
    same = hmac.compare_digest(found, bytes.fromhex(kept.digest)) and len(password) <= MOST_PASSWORD
    return user if same and user is not None and user.password is kept else None


def _decoy(users: Users) -> PasswordHash:
    """Return a hash that no password has, as costly as those of the users."""
    costs = (user.password.cost for user in users.users if user.password)
    cost = max(costs, default=_COST)
    return _blank(bytes(_SALT_BYTES), cost)


def _blank(salt: bytes, cost: int) -> PasswordHash:
    """Return a hash of no password."""
    return PasswordHash(
        salt=salt.hex(), digest="0" * 2 * _DIGEST_BYTES, cost=cost, block_size=_BLOCK_SIZE, parallelism=_PARALLELISM
    )


def _scrypt(password: str, kept: PasswordHash) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", errors="surrogatepass"),
        salt=bytes.fromhex(kept.salt),
        n=kept.cost,
        r=kept.block_size,
        p=kept.parallelism,
        maxmem=_MEMORY_FACTOR * 128 * kept.cost * kept.block_size * kept.parallelism,
        dklen=_DIGEST_BYTES,
    )
