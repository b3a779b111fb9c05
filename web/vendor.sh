#!/usr/bin/env bash
# Downloads pinned versions of GraphiQL's scripts and styles into web/vendor/, where the build compiles them in.
# Run it by hand after changing a version: web/vendor.sh
# The script stops if a package has another checksum.
set -euo pipefail
export LC_ALL=C

here=$(cd "$(dirname "$0")" && pwd)
out="$here/vendor"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Checksums are npm's "integrity" values: SHA-512 of the package file, in base64.
packages=(
  "graphiql 4.1.2 rNlzQIAzm6i2KBXmVQWBgLvt0TloxFVB2d18bukvdsvjEuFDHsKx5IVOomL1W1o5WW+tE54+ioHb2AEKzO2cUg=="
  "react 18.3.1 wS+hAgJShR0KhEvPJArfuPVN1+Hz1t0Y6n5jLrGQbkb4urgPE/0Rve+1kMB1v/oWgHgm4WIcV+i7F2pTVj+2iQ=="
  "react-dom 18.3.1 5m4nQKp+rZRb09LNH59GM4BxTh9251/ylbKIbpe7TpGxfJ+9kv6BLkLBXIjjspbgbnIBNqlI23tRnTWT0snUIw=="
)
# package, file in the package, file name in web/vendor/
files=(
  "graphiql graphiql.min.js graphiql.min.js"
  "graphiql graphiql.min.css graphiql.min.css"
  "react umd/react.production.min.js react.production.min.js"
  "react-dom umd/react-dom.production.min.js react-dom.production.min.js"
)

mkdir -p "$out"
rm -f "$out"/*.gz "$out"/README.md
readme="$out/README.md"
{
  echo "# Vendored scripts and styles"
  echo
  echo "Made by \`web/vendor.sh\`; do not edit. Each file is the one that npm publishes, without its link to a"
  echo "source map (the map is not included, so browsers must not request it), compressed with \`gzip -9 -n\`."
  echo
  echo "| package | version | licence | SHA-512 of the package |"
  echo "| --- | --- | --- | --- |"
} >"$readme"

for package in "${packages[@]}"; do
  read -r name version want <<<"$package"
  (cd "$work" && npm pack --silent "$name@$version" >/dev/null 2>&1) || { echo "cannot download $name $version" >&2; exit 1; }
  tarball="$work/$name-$version.tgz"
  got=$(openssl dgst -sha512 -binary "$tarball" | base64 | tr -d '\n')
  if [ "$got" != "$want" ]; then
    echo "$name $version: checksum mismatch: expected $want, got $got" >&2
    exit 1
  fi
  mkdir "$work/$name"
  tar -xzf "$tarball" -C "$work/$name" --strip-components=1
  licence=$(sed -n 's/^ *"license": "\(.*\)",*$/\1/p' "$work/$name/package.json" | head -n 1)
  echo "| $name | $version | $licence | \`$got\` |" >>"$readme"
done

{
  echo
  echo "| file | from | SHA-256 unpacked |"
  echo "| --- | --- | --- |"
} >>"$readme"
for file in "${files[@]}"; do
  read -r name path here_name <<<"$file"
  plain="$work/$here_name"
  sed -e '/^\/\/# sourceMappingURL=/d' -e 's,/\*# sourceMappingURL=[^*]*\*/,,' "$work/$name/$path" >"$plain"
  gzip -9 -n -c "$plain" >"$out/$here_name.gz"
  echo "| \`$here_name.gz\` | \`$name/$path\` | \`$(sha256sum "$plain" | cut -d ' ' -f 1)\` |" >>"$readme"
done

{
  echo
  echo "GraphiQL's script includes other libraries: CodeMirror, GraphQL.js, markdown-it, Radix and others, all MIT. Its"
  echo "style sheet includes the fonts Roboto (Apache-2.0 or OFL-1.1) and Fira Code (OFL-1.1)."
  for package in "${packages[@]}"; do
    read -r name _ <<<"$package"
    echo
    echo "## Licence of $name"
    echo
    echo '```text'
    cat "$work/$name/LICENSE"
    echo '```'
  done
} >>"$readme"

ls -l "$out"
