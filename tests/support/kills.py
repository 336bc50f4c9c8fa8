"""What a monitor that is killed leaves behind."""

import shutil


def files_left(folder, copy):
    """Return what a power cut would leave of a monitor's files by now."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".db-shm":
            target = copy / path.relative_to(folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return copy
