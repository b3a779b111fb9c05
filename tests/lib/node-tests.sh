# shellcheck shell=bash
# Runs test files of Node. A file with a failed test runs again once, and the test counts as flaky if it passes then.

# Prints a number of the summary of Node: `total pass RESULTS`.
total() {
  awk -v name="$1" '$2 == name { print $3 }' "$2" | tail -n 1
}

# `node_tests [OPTION…] FILE…` needs a folder in `folder`. The last line is "N passed, N failed".
node_tests() {
  local results=$folder/results again=$folder/again files fails flaky
  if node --test --test-reporter=spec "$@" | tee "$results"; then
    echo "$(total pass "$results") passed, 0 failed"
    return 0
  fi
  mapfile -t files < <(grep -oE '^test at [^:]+\.mjs' "$results" | cut -c 9- | sort -u)
  fails=$(total fail "$results")
  if ((${#files[@]} == 0)) || ! node --test --test-reporter=spec "${files[@]}" | tee "$again"; then
    echo "$(total pass "$results") passed, ${fails:-1} failed"
    return 1
  fi
  flaky=$fails
  echo "$(($(total pass "$results") + flaky)) passed, 0 failed, $flaky flaky"
}
