"""Faults of an endpoint that cleans up what it gets: a malformed name or id is taken for an existing one."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote

from atlas_conformance.reference.backend import Backend
from atlas_conformance.reference.fault import Fault
from atlas_conformance.reference.fault_parts import normalising, sound
from atlas_conformance.reference.messages import Call

_CleanUp = Callable[[str], str]


def _in_ascii_digits(text: str) -> str:
    return "".join(str(unicodedata.digit(char, char)) for char in text)


_CLEAN_UPS: Mapping[str, tuple[_CleanUp, str]] = {
    "trimmed": (str.strip, "with blanks around it"),
    "trimmed-behind": (lambda text: text.rstrip(" "), "with a blank behind it"),
    "trimmed-before": (lambda text: text.lstrip(" "), "with a blank before it"),
    "hyphen-dropped": (lambda text: text.lstrip("-"), "with a hyphen before it"),
    "folded": (str.lower, "in upper case"),
    "compatible": (lambda text: unicodedata.normalize("NFKC", text), "in full-width characters"),
    "digits-read": (_in_ascii_digits, "with digits of another script"),
    "decoded-again": (unquote, "that is percent-encoded twice"),
    "cut": (lambda text: text[:24], "with more behind it"),
}
_PATH = {"project": ("project", "P-GROUP"), "name": ("cluster_name", "P-NAME"), "item": ("job_id", "P-JOB")}
_PATHS = (
    ("flex-create", "name", "trimmed"),
    ("flex-get", "item", "trimmed-behind"),
    ("cluster-create", "project", "trimmed-before"),
    ("cluster-get", "name", "hyphen-dropped"),
    ("tenant-get", "project", "folded"),
    ("cluster-get-v1", "item", "compatible"),
    ("cluster-list", "project", "digits-read"),
    ("flex-list", "name", "decoded-again"),
    ("cluster-cancel", "item", "trimmed-behind"),
    ("cluster-cancel", "name", "trimmed-before"),
    ("tenant-create", "name", "compatible"),
    ("cluster-create-v1", "project", "decoded-again"),
    ("flex-download", "project", "trimmed"),
    ("flex-snapshot-list", "name", "hyphen-dropped"),
    ("flex-snapshot-get", "item", "folded"),
    ("snapshot-take", "name", "trimmed-behind"),
    ("snapshot-list", "project", "compatible"),
    ("snapshot-get", "item", "decoded-again"),
    ("snapshot-delete", "project", "trimmed-before"),
    ("sharded-snapshot-list", "name", "digits-read"),
    ("sharded-snapshot-get", "item", "cut"),
)
_BODIES = (
    ("flex-create", "snapshotId", "trimmed-behind"),
    ("flex-create", "targetDeploymentItemName", "trimmed"),
    ("flex-create", "targetProjectId", "compatible"),
    ("tenant-create", "snapshotId", "hyphen-dropped"),
    ("tenant-create", "targetDeploymentItemName", "decoded-again"),
    ("tenant-create", "targetProjectId", "folded"),
    ("cluster-create", "targetClusterName", "compatible"),
    ("cluster-create", "targetGroupId", "trimmed-before"),
    ("cluster-create", "snapshotId", "digits-read"),
    ("cluster-create-v1", "targetClusterName", "hyphen-dropped"),
    ("cluster-create-v1", "targetGroupId", "cut"),
    ("cluster-create-v1", "snapshotId", "decoded-again"),
    ("flex-download", "snapshotId", "trimmed-before"),
)


def _changing_path(attribute: str, clean_up: _CleanUp) -> Callable[[Backend, Call], None]:
    def request(backend: Backend, call: Call) -> None:
        setattr(call, attribute, clean_up(getattr(call, attribute)))

    return request


def _in_paths() -> Iterator[Fault]:
    for operation, parameter, way in _PATHS:
        attribute, requirement = _PATH[parameter]
        if parameter == "item" and "snapshot" in operation:
            requirement = "P-SNAPSHOT"
        clean_up, what = _CLEAN_UPS[way]
        sentence = f"In the path, a {'name' if parameter == 'name' else f'{parameter} id'} {what} is taken for the one."
        request = _changing_path(attribute, clean_up)
        yield Fault(f"{operation}/{parameter}-{way}", requirement, (operation,), sentence, "subtle", request=request)


def _if_text(clean_up: _CleanUp) -> Callable[[object], object]:
    return lambda value: clean_up(value) if isinstance(value, str) else value


def _in_bodies() -> Iterator[Fault]:
    for operation, name, way in _BODIES:
        clean_up, what = _CLEAN_UPS[way]
        step = f"B-TYPE/{name}"
        check = normalising(name, _if_text(clean_up), sound(operation, step))
        sentence = f"In the body, a {name} {what} is taken for the one."
        yield Fault(f"{operation}/{name}-{way}", "B-PATTERN", (operation,), sentence, "subtle", replace={step: check})
    for operation, way in (("cluster-create", "trimmed-behind"), ("cluster-create-v1", "trimmed-before")):
        clean_up, what = _CLEAN_UPS[way]
        step = "B-TYPE/deliveryType"
        check = normalising("deliveryType", _if_text(clean_up), sound(operation, step))
        sentence = f"A deliveryType {what} is taken for the one."
        yield Fault(
            f"{operation}/deliveryType-{way}", "T-ENUM", (operation,), sentence, "subtle", replace={step: check}
        )


FAULTS: tuple[Fault, ...] = (*_in_paths(), *_in_bodies())
"""Faults of this family."""
