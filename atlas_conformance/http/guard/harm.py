"""What a request could harm if it were wrongly taken, by all that is known of what exists."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from atlas_conformance.contracts.exchange import Request
from atlas_conformance.http.guard.reach import Atlas, Names, Place, fold, names_of


def leads_nowhere(place: Place, atlas: Atlas) -> bool:
    """Tell whether the path itself leads to nothing that exists."""
    project = atlas.id_standing(place.project)
    cluster = atlas.name_standing(place.cluster, item=False)
    if "absent" in (project, cluster):
        return True
    if project != "malformed" or cluster != "malformed":
        return False
    return not (atlas.projects_like(place.project) and atlas.names_like(place.cluster))


def harm_of(request: Request, place: Place, atlas: Atlas) -> str | None:
    """Say what a create could touch if it were wrongly accepted, or None where it could touch nothing."""
    nowhere = leads_nowhere(place, atlas)
    if place.makes == "snapshot":
        return None if nowhere else "it could take a snapshot of a cluster that may exist"
    names = names_of(request.body, place)
    if names is None:
        text = (request.body or b"").decode("latin-1")
        if mentioned := atlas.mentions(text):
            return f"its body, which is no JSON, holds {mentioned}"
        absent = atlas.holds_absent(text, place)
        return None if nowhere or absent else "its body is no JSON and its path leads to a cluster that may exist"
    snapshots = [atlas.id_standing(value) for value in names.snapshots]
    targets = [atlas.name_standing(value, item=True) for value in names.targets]
    if any(standing in ("known", "foreign") for standing in snapshots):
        return "its snapshot is not known to be absent"
    if any(atlas.id_standing(value) == "foreign" for value in names.projects):
        return "its target project is neither listed nor known to be absent"
    if any(standing in ("known", "foreign") for standing in targets):
        return "its target is not known to be absent"
    if any(atlas.mentions(value) for value in names.other):
        return "its body names something that may exist"
    # To restore to a moment takes no snapshot, so that an absent one keeps nothing safe.
    plain = [] if names.by_moment else [atlas.id_standing(value) for value in names.plain_snapshots]
    plain += [atlas.name_standing(value, item=True) for value in names.plain_targets]
    if nowhere or "absent" in plain:
        return None
    return "it names no absent snapshot and no absent target, and its path leads to a cluster that may exist"


def objection_to_restore(
    place: Place, names: Names, atlas: Atlas, taken: Collection[str], destroyable: Iterable[tuple[str, str]]
) -> str | None:
    """Judge a create that could touch something, in the mode `restore` on a remote endpoint.

    `taken` are the ids of the snapshots that this run took of the cluster, `destroyable` the (project, name) of what a
    restore may overwrite. Return why the create must not be sent, or None.
    """
    if not names.is_object:
        return "its body is no object, which an endpoint may read once more"
    if atlas.id_standing(place.project) == "foreign":
        return "its project is not listed in the target file"
    if any(atlas.id_standing(value) == "foreign" and value not in taken for value in names.snapshots):
        return "its snapshot is not listed in the target file"
    if any(atlas.id_standing(value) == "foreign" for value in names.projects):
        return "its target project is not listed in the target file"
    if any(atlas.mentions(value) for value in names.other):
        return "its body names something under an undocumented property"
    projects = {fold(value) for value in names.projects if atlas.id_standing(value) == "known"}
    if not (len(names.projects) == 1 and projects == set(names.projects) == set(names.plain_projects)):
        # Left out, repeated or unusable: an endpoint may fall back on the project in the path, or repair the id.
        projects.add(fold(place.project))
        projects |= {known for value in names.projects for known in atlas.projects_like(value)}
    usable = [value for value in names.targets if atlas.name_standing(value, item=True) != "malformed"]
    targets = [value for value in usable if atlas.name_standing(value, item=True) != "absent"]
    targets += [known for value in names.targets if value not in usable for known in atlas.names_like(value)]
    named = [value for value in names.plain_targets if value in usable]
    # Where everything is a download, a key that speaks of a restore is one that an endpoint may heed all the same.
    plainly = place.delivers and not (names.says_how or names.by_moment)
    downloads = plainly or names.delivery == "download"
    if not named and not (downloads and names.plain_snapshots and not names.says_where):
        # No usable target: an endpoint may fall back on the cluster in the path.
        targets.append(place.cluster)
    folded = {(project, fold(name)) for project, name in destroyable}
    for name in targets:
        for project in sorted(projects):
            if (project, fold(name)) not in folded:
                return f"cluster {name!r} of project {project} is not listed as destroyable"
    return None
