#!/bin/sh
# Installs eiows and compiles its addon against the installed Node.js.
# The package's own install script clones the sources of Node.js; all that it
# needs of them, for plain HTTP, is crypto_tls.h beside this script.
# Needs: node and npm, a C++20 compiler, make, Python 3.
set -eu
cd "$(dirname "$0")"

prefix=$(node -p 'require("node:path").resolve(process.execPath, "../..")')
addon="node_modules/eiows/dist/eiows_$(node -p process.version).node"

if [ -f "$addon" ]; then
  exit 0
fi

npm ci --ignore-scripts --no-audit --no-fund
mkdir -p node_modules/eiows/nodejs/src/node/src/crypto
cp crypto_tls.h node_modules/eiows/nodejs/src/node/src/crypto/

# The headers beside the node binary save a download; node-gyp fetches them if
# there are none.
set --
if [ -f "$prefix/include/node/node.h" ]; then
  set -- "--nodedir=$prefix"
fi
# That of npm, which Debian keeps beside it.
gyp=$(node -p 'require.resolve("node-gyp/bin/node-gyp.js", { paths: [require("node:fs").realpathSync(process.argv[1])] })' \
  "$(command -v npm)" 2>/dev/null) || gyp="$(npm root --global)/npm/node_modules/node-gyp/bin/node-gyp.js"
if ! (cd node_modules/eiows && node "$gyp" rebuild "$@" >build.log 2>&1); then
  tail -n 20 node_modules/eiows/build.log >&2
  echo "eiows does not compile here: see interop/node/eiows/node_modules/eiows/build.log" >&2
  exit 1
fi
