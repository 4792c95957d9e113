# Installs a lock into a fresh virtual environment, offline; run by root in a container. The argument is the
# environment's folder; /tmp/install holds uv, the wheels and the lock.
#
# The compiled files must be the same bytes each time: they carry the source's hash in the place of its time,
# and are made in an order that does not depend on how busy the machine is, in two halves.
set -eu
venv=$1
from=/tmp/install
export UV_NO_CACHE=1 HOME=/tmp PYTHONHASHSEED=0 LC_ALL=C
"$from/uv" venv --quiet --offline --no-config --python python3 "$venv"
"$from/uv" pip sync --quiet --offline --no-config --no-index --find-links "$from/wheels" \
    --require-hashes --link-mode copy --python "$venv/bin/python" "$from/lock.txt"
purelib=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
# uv notes the moment at which the wheel was unpacked here
find "$purelib" -mindepth 2 -maxdepth 2 -name uv_cache.json -delete
find "$purelib" -mindepth 2 -maxdepth 2 -name RECORD -exec sed -i '/\/uv_cache\.json,/d' {} +
[ ! -f "$from/project.pth" ] || cp "$from/project.pth" "$purelib/micro_bench_project.pth"
cd /
find "$purelib" -mindepth 1 -maxdepth 1 | sort >/tmp/compiled
compile() {
    awk "NR % 2 == $1" /tmp/compiled |
        xargs -r -d '\n' "$venv/bin/python" -m compileall -q -q --invalidation-mode unchecked-hash -- || true
}
compile 0 & compile 1
wait
