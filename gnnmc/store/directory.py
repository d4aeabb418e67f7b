"""The store: a folder of whole, checked results, addressed by what they were computed from."""

import hashlib
import os
import threading
import uuid
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gnnmc.errors import InputError, StoreError
from gnnmc.filesystem import is_folder, is_there
from gnnmc.store.address import Addressed, Description
from gnnmc.store.cell import Cell, Result
from gnnmc.store.lock import holder, only_writer
from gnnmc.store.manifest import FILE_NAME, SUFFIXES, Manifest, Member, OtherSchema, read_manifest, write_manifest
from gnnmc.store.names import check_name
from gnnmc.store.provenance import provenance
from gnnmc.store.writing import Writer, sweep, sweep_parts, write_files

# The files of a result as they were read and checked: name → (kind, bytes).
Members = Mapping[str, tuple[str, bytes]]


class Store:
    """Results in `folder/artifacts/<stage>/<key>/`: a manifest and one file per named value.

    A result appears whole or not at all (written beside, waited for, renamed), and is never changed afterwards: a
    second `save` of the same cell keeps what is there. Every byte is covered by a checksum; a damaged result is moved
    to `folder/damaged/` when it is met, and counts as missing. A folder that may not be written can be read.

    Raises InputError when `folder` is a file.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self.folder = Path(folder)
        if is_there(self.folder) and not is_folder(self.folder):
            raise InputError(f"{self.folder} is a file: a store needs a folder")
        self._artifacts = self.folder / "artifacts"
        self._writing = self.folder / "writing"
        self._damaged = self.folder / "damaged"
        self._writer: Writer | None = None
        self._holder: int | None = None

    def has(self, cell: Addressed) -> bool:
        """Whether a result is there; its bytes are not looked at (see `verify`)."""
        return (self._place(cell) / FILE_NAME).is_file()

    def keys(self) -> list[str]:
        """The keys of all results, sorted."""
        return sorted(manifest.parent.name for manifest in self._artifacts.glob(f"*/*/{FILE_NAME}"))

    def versions(self, stage: str, but: Collection[str] = ()) -> dict[str, int]:
        """Key → version of the stage, of every result of a stage except the keys in `but`; unreadable ones left out."""
        found = {}
        for path in sorted((self._artifacts / check_name("stage", stage)).glob(f"*/{FILE_NAME}")):
            if path.parent.name not in but:
                with suppress(OSError, ValueError):
                    found[path.parent.name] = read_manifest(path.read_bytes()).version
        return found

    def save(self, cell: Cell | Description, result: Result, metadata: Mapping[str, Any] | None = None) -> None:
        """Write a result whole, with `metadata` (JSON) added to when, host and versions.

        Raises InputError for a value that cannot be kept exactly or a name that is no plain name, StoreError when the
        folder cannot be written (read-only, disk full): then nothing is left behind.
        """
        from gnnmc.store.values import encode_result

        description = Description.of(cell)
        self.save_members(description, encode_result(result, description.label or str(description)), metadata)

    def save_members(
        self, cell: Cell | Description, members: Members, metadata: Mapping[str, Any] | None = None
    ) -> None:
        """`save` for values that `values.encode_result` has turned into bytes already."""
        description = Description.of(cell)
        entries = {
            name: Member(name + SUFFIXES[kind], kind, len(data), hashlib.sha256(data).hexdigest())
            for name, (kind, data) in members.items()
        }
        manifest = write_manifest(description, entries, {**provenance(), **(metadata or {})})
        target = self._place(description)
        try:
            with self._own_writer().temporary() as temporary:
                contents = {entries[name].file: data for name, (_, data) in members.items()}
                write_files(temporary, {**contents, FILE_NAME: manifest})
                # The rename itself is not waited for: a power cut may undo it, and leaves a whole result or none.
                self._put(temporary, target)
        except OSError as error:
            raise StoreError(f"cannot write into {self.folder}: {error.strerror or error}") from None

    def load(self, cell: Addressed) -> Result:
        """The result of a cell, fresh objects at each call; raises StoreError when it is missing or damaged."""
        from gnnmc.store.values import decode

        members = self.load_members(cell)
        try:
            return {name: decode(kind, data) for name, (kind, data) in members.items()}
        except ValueError as error:
            raise StoreError(f"{cell.stage}/{cell.key} cannot be read, though its checksums hold: {error}") from None

    def load_members(self, cell: Addressed) -> Members:
        """The checked bytes of a result, for `values.decode`; raises StoreError when it is missing or damaged."""
        manifest = self._manifest(cell)
        return {name: (member.kind, self._checked_bytes(cell, member)) for name, member in manifest.members.items()}

    def metadata(self, cell: Addressed) -> dict[str, Any]:
        """When, where and by what a result was made; raises StoreError when it is missing or its manifest damaged."""
        return dict(self._manifest(cell).metadata)

    def verify(self, cell: Addressed) -> None:
        """Check every byte of a result; raises StoreError (one line) when it is missing or damaged."""
        self.load_members(cell)

    @contextmanager
    def only_writer(self) -> Iterator[None]:
        """A block in which no other run writes into this folder; raises InputError naming the one that does.

        Within a block of the same store and thread it is that block: work of several steps can be under one lock.
        """
        if self._holder == threading.get_ident():
            yield
            return
        with only_writer(self.folder / "run.lock"):
            self._holder = threading.get_ident()
            try:
                yield
            finally:
                self._holder = None

    def writer(self) -> str | None:
        """Who is writing into this folder, with since when; "" for nobody, None where the system has no locks."""
        return holder(self.folder / "run.lock")

    def sweep(self) -> int:
        """Remove what killed writers left half written, for the only writer; the number of leftovers removed."""
        return sweep(self._writing) + sweep_parts(self.folder)

    def close(self) -> None:
        """Give back the folder in which this store object writes; a later `save` takes a new one."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _place(self, cell: Addressed) -> Path:
        return self._artifacts / check_name("stage", cell.stage) / check_name("key", cell.key)

    def _own_writer(self) -> Writer:
        if self._writer is None or self._writer.process != os.getpid():
            self._writer = Writer(self._writing)
        return self._writer

    def _put(self, temporary: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            temporary.rename(target)
        except OSError:
            if not target.is_dir():
                raise
            # Results are renamed into place whole, so the one that is there is as good: equal, up to rounding where it
            # was computed among fewer others, and what else is stored was made from it. Only a folder without a
            # manifest (somebody deleted it) has to make room.
            if not (target / FILE_NAME).is_file():
                self._set_aside(target)
                temporary.rename(target)

    def _manifest(self, cell: Addressed) -> Manifest:
        data = self._read(cell, FILE_NAME)
        if data is None:
            raise StoreError(f"no result of {cell.stage}/{cell.key} in {self.folder}: run what computes it")
        try:
            manifest = read_manifest(data)
        except OtherSchema as error:
            raise self._damage(cell, str(error), "is of another version of gnnmc") from None
        except ValueError as error:
            raise self._damage(cell, str(error)) from None
        if manifest.key != cell.key:
            raise self._damage(cell, f"its manifest is that of {manifest.key}")
        return manifest

    def _checked_bytes(self, cell: Addressed, member: Member) -> bytes:
        data = self._read(cell, member.file)
        if data is None:
            raise self._damage(cell, f"{member.file} is missing")
        if len(data) != member.bytes:
            raise self._damage(cell, f"{member.file} has {len(data)} bytes instead of {member.bytes}")
        if hashlib.sha256(data).hexdigest() != member.sha256:
            raise self._damage(cell, f"{member.file} does not match its checksum")
        return data

    def _read(self, cell: Addressed, file: str) -> bytes | None:
        try:
            return (self._place(cell) / file).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise StoreError(f"cannot read {file} of {cell.stage}/{cell.key}: {error.strerror or error}") from None

    def _damage(self, cell: Addressed, reason: str, what: str = "is damaged") -> StoreError:
        try:
            aside = self._set_aside(self._place(cell))
            outcome = f"moved to {aside}, it counts as missing and will be computed anew"
        except OSError as error:
            outcome = f"it could not be moved aside ({error.strerror or error})"
        return StoreError(f"{cell.stage}/{cell.key} {what}: {reason}; {outcome}")

    def _set_aside(self, place: Path) -> Path:
        self._damaged.mkdir(parents=True, exist_ok=True)
        aside = self._damaged / f"{place.parent.name}-{place.name}-{uuid.uuid4().hex[:8]}"
        place.rename(aside)
        return aside
