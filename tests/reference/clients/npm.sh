#!/bin/sh
# Runs the clients from npm against the mock, unpatched. Needs Node 20 or later, npm and its registry, and an
# installation with the extra `tls`. PYTHON names the interpreter; CLIENTS a folder to install into and keep.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
work=$(mktemp -d)
clients=${CLIENTS:-$work/clients}
served=
stop() {
  if [ -n "$served" ]; then kill "$served" 2>/dev/null || true; wait "$served" 2>/dev/null || true; fi
  served=
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

mkdir -p "$clients"
if [ ! -d "$clients/node_modules/mongodb-mcp-server" ]; then
  npm install --prefix "$clients" --ignore-scripts --no-fund --no-audit --loglevel=error \
    mongodb-atlas-api-client@4 mongodb-mcp-server@3
fi
cp "$here"/*.mjs "$here/../../../docs/examples/restore.test.mjs" "$clients"

# serve OPTIONS...: starts the mock and exports what it says.
serve() {
  rm -f "$work/env"
  "$python" -m atlas_conformance serve --port 0 --write-env "$work/env" "$@" >"$work/said" &
  served=$!
  for _ in $(seq 100); do
    if grep -q '^export ATLAS_REFERENCE_OFF_LIST_CLIENT_SECRET' "$work/said" 2>/dev/null; then break; fi
    sleep 0.1
  done
  sleep 0.2
  set -a; . "$work/env"; set +a
}

serve
node --test "$clients/restore.test.mjs" >"$work/tested" || { cat "$work/tested"; exit 1; }
echo "fetch: done"
node "$clients/with_mongodb_atlas_api_client.mjs"
stop
serve --tls
node "$clients/with_mongodb_mcp_server.mjs"
