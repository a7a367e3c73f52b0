# Sourced by the other scripts, not run: finds a Python, makes .venv and keeps it in step with a lock file.

# Print the first Python that really starts, is new enough and can make a virtual environment.
find_python() {
    for python in "${PYTHON:-}" python3.13 python3.12 python3.14 python3 python \
        "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.1[2-9]*/bin/python3 \
        /usr/local/bin/python3.1[2-9] /opt/homebrew/bin/python3.1[2-9]; do
        if "$python" -c 'import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
            printf '%s\n' "$python"
            return
        fi
    done
    echo "Phasewise needs Python 3.12 or newer with venv: install one (python3.12 and python3.12-venv on Debian and Ubuntu, python@3.13 with Homebrew, or pyenv) and run this again." >&2
    return 1
}

# Run a command that a signal to this script ends too.
attended() {
    "$@" </dev/null &
    trap "kill $! 2>/dev/null; wait $!; exit 143" HUP INT TERM
    wait $!
    trap - HUP INT TERM
}

# prepare LOCK: leave a .venv with exactly what LOCK asks for; quick when nothing changed.
# The developers' lock holds all that the other holds, so what it installed serves both.
prepare() {
    mkdir -p var
    exec 9>var/setup.lock
    if command -v flock >/dev/null; then flock 9; fi # two at once wait for each other

    if ! .venv/bin/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
        python=$(find_python)
        echo "Making .venv with $("$python" --version) …" >&2
        attended "$python" -m venv --clear .venv
    fi
    if ! cmp -s "$1" .venv/installed.lock && ! cmp -s requirements-dev.lock .venv/installed.lock; then
        echo "Installing what $1 names, which takes half a minute …" >&2
        rm -f .venv/installed.lock
        attended .venv/bin/python -m pip install -qq --disable-pip-version-check --require-hashes -r "$1"
        cp "$1" .venv/installed.lock
    fi

    exec 9>&-
}
