"""Settings and uploads in memory, for routes that change and take them."""

import io
from collections.abc import Mapping, Sequence

from protocol.values import ModelChoice, Upload
from storage.bound_keys import HeldSetting, outdated
from transport.form import FormLimits
from transport.services import Draft, UploadDesk


class Held:
    """Settings in memory: all empty but those given; a name with ``key`` in it is a secret."""

    def __init__(self, texts: Mapping[str, str] = {}, fixed: Mapping[str, str] = {}) -> None:
        self.texts = dict(texts)
        self._fixed = fixed

    def held(self, key: str) -> HeldSetting:
        """A setting."""
        return HeldSetting(self.texts.get(key, ""), "key" in key, self._fixed.get(key, ""))

    async def change(self, wanted: Mapping[str, str]) -> list[str]:
        """Take over what nothing stands above, and remove the keys of addresses that change."""
        removed = outdated(wanted, self.held)
        wanted = {**wanted, **dict.fromkeys(removed, "")}
        self.texts |= {key: text for key, text in wanted.items() if key not in self._fixed}
        return removed


class Leaf:
    """A file that is received into memory."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.file = io.BytesIO()

    @property
    def size_bytes(self) -> int:
        """How much has come."""
        return len(self.file.getvalue())

    async def write(self, data: bytes) -> None:
        """Take in a piece."""
        self.file.write(data)

    async def finish(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Let go."""
        self.file.close()


class Drawer:
    """Takes files in, and remembers their content and the model that was wanted."""

    def __init__(self, limits: FormLimits | None = None) -> None:
        self.leaves: list[Leaf] = []
        self.taken: list[tuple[str, bytes]] = []
        self.embedding: ModelChoice | None = None
        self.owner = ""
        self.desk = UploadDesk(limits or FormLimits(3, 1000), self.draft, self.take_in)

    def draft(self, name: str) -> Leaf:
        """A new leaf."""
        self.leaves.append(Leaf(name))
        return self.leaves[-1]

    async def take_in(
        self, drafts: Sequence[Draft], embedding: ModelChoice, owner: str
    ) -> list[Upload]:
        """Uploads named by their places."""
        self.embedding, self.owner = embedding, owner
        self.taken += [(draft.name, draft.file.getvalue()) for draft in self.leaves[-len(drafts) :]]
        return [
            Upload(f"id{at}", draft.name, draft.size_bytes, ()) for at, draft in enumerate(drafts)
        ]
