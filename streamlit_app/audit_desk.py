"""One labeller's work on one audit sample: which pair comes next, its crops, the answers; no decision, no score."""

import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

from footfall_assets.contracts.access import Access
from footfall_assets.contracts.audit import (
    Answer,
    AuditSample,
    Label,
    Question,
    asked,
    current_day,
    newest_answers,
)
from footfall_assets.contracts.settings import PlatformSettings
from footfall_assets.storage.access_log import AccessLog
from footfall_assets.storage.audit_crops import AuditCrops
from footfall_assets.storage.audit_store import AuditStore
from footfall_assets.storage.crop_reserve import open_reserve
from footfall_assets.storage.lake import LakeStore
from footfall_assets.storage.partitions import PartitionStore
from footfall_assets.storage.secret_file import read_or_create_secret
from streamlit_app.access import CropScope

_KEY_BYTES: Final = 32


@dataclass(frozen=True)
class ShownPair:
    """The crops of a question as they are shown: JPEGs of the left and the right side, best first."""

    number: int
    left: tuple[bytes, ...]
    right: tuple[bytes, ...]


@dataclass(frozen=True)
class Progress:
    """How many of the pairs to label are answered; a later answer can add a pair."""

    answered: int
    needed: int


class AuditDesk:
    """Labels one sample in one person's name. Needs the scope that lets crops be seen."""

    def __init__(
        self, settings: PlatformSettings, lake: LakeStore, sample: AuditSample, *, labeller: str, scope: CropScope
    ) -> None:
        self._settings, self._lake, self._sample = settings, lake, sample
        self._labeller, self._role = labeller, scope.role
        self._store = AuditStore(lake)
        self._log = AccessLog(lake, settings.keys_dir)
        self._locks = settings.home / "locks"

    def answers(self) -> dict[int, Answer]:
        """Return this labeller's answers by question, the newest last."""
        return newest_answers(self._store.labels(self._sample.sample_id), self._labeller)

    def progress(self) -> Progress:
        """Return how far this labeller is."""
        answers = self.answers()
        needed = {question.number for question in asked(self._sample, answers)}
        return Progress(len(needed & answers.keys()), len(needed))

    def next_number(self) -> int | None:
        """Return the question to answer next, or None when all are answered.

        The order is by lot: a keyed hash, so that neither the order nor its repetition says anything.
        """
        answers = self.answers()
        open_ = [question.number for question in asked(self._sample, answers) if question.number not in answers]
        return min(open_, key=self._lot, default=None)

    def show(self, number: int) -> ShownPair:
        """Return the crops of a question, after a line in the access log says so.

        Raises:
            CropExpired: they may not be shown any more; nothing was read.
        """
        question = self._question(number)
        self._record(Access.VIEW, len(question.left.faces) + len(question.right.faces))
        crops = self._crops()
        left, right = tuple(crops.of(question.left)), tuple(crops.of(question.right))
        turned = self._lot(number)[0] % 2 == 1
        return ShownPair(number, right, left) if turned else ShownPair(number, left, right)

    def answer(self, number: int, answer: Answer) -> None:
        """Store an answer."""
        self._append(number, answer)
        self._record(Access.LABEL, 1)

    def undo(self) -> int | None:
        """Withdraw this labeller's newest answer and return its question; None where there is none."""
        number = next(reversed(self.answers()), None)
        if number is not None:
            self._append(number, None)
            self._record(Access.UNDO, 1)
        return number

    def _question(self, number: int) -> Question:
        question = self._sample.question(number)
        if question is None:
            raise ValueError(f"expected a question of {self._sample.sample_id}, got {number}")
        return question

    def _append(self, number: int, answer: Answer | None) -> None:
        label = Label(
            sample_id=self._sample.sample_id,
            question=number,
            labeller=self._labeller,
            answer=answer,
            answered_at=datetime.now(UTC),
        )
        self._store.append(label, self._locks)

    def _record(self, access: Access, count: int) -> None:
        self._log.append(
            who=self._labeller,
            role=self._role,
            access=access,
            about=self._sample.sample_id,
            count=count,
            at=datetime.now(UTC),
            lock_folder=self._locks,
        )

    def _crops(self) -> AuditCrops:
        store = PartitionStore(self._lake)
        today = self._today(store)
        reserve = open_reserve(self._settings, self._lake, today)
        return AuditCrops(store, self._sample, reserve, today=today)

    def _today(self, store: PartitionStore) -> date:
        now = datetime.now(UTC)
        places = store.places("local_visitors", self._sample.versions["local_visitors"])
        newest = max((place.day for place in places), default=now.date())
        return current_day(newest, now, environment=self._settings.environment)

    def _lot(self, number: int) -> bytes:
        key = read_or_create_secret(
            self._settings.keys_dir / "audit-order.key", lambda: secrets.token_bytes(_KEY_BYTES)
        )
        return hmac.digest(key, f"{self._sample.sample_id}/{self._labeller}/{number}".encode(), "sha256")
