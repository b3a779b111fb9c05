# shellcheck shell=bash
# Adds up passed, failed, skipped and flaky tests from the output of test runners. A flaky test failed, and passed when
# it ran again. A runner that fails without reporting a
# failed test counts as one failure.

passed=0
failed=0
skipped=0
flaky=0

# Prints the sum of all numbers that stand before a word in standard input.
sum_before() {
  { grep -oE "[0-9]+ $1" || true; } | awk '{ sum += $1 } END { print sum + 0 }'
}

# `count LOG STATUS` adds the results of one test runner. LOG is its output, and STATUS its exit status.
count() {
  local lines new_failed new_passed
  # Counts the last summary of nextest, every result line of cargo test, and the last line of the other scripts.
  lines=$(sed 's/\x1b\[[0-9;]*m//g' "$1" |
    awk '/^ *Summary \[/ { summary = $0 } /^test result: / { print } /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?(, [0-9]+ flaky)?$/ { last = $0 }
         END { if (summary) print summary; if (last) print last }')
  new_passed=$(sum_before passed <<<"$lines")
  new_failed=$(sum_before '(failed|timed out|exec failed)' <<<"$lines")
  if (($2 != 0 && new_failed == 0)); then
    new_failed=1
  fi
  passed=$((passed + new_passed))
  failed=$((failed + new_failed))
  skipped=$((skipped + $(sum_before '(skipped|ignored)' <<<"$lines")))
  flaky=$((flaky + $(sum_before flaky <<<"$lines")))
}

# Prints the summary. Succeeds only if a test ran and none failed.
conclude() {
  local also=
  ((skipped == 0)) || also+=", $skipped skipped"
  ((flaky == 0)) || also+=", $flaky flaky"
  echo "$passed passed, $failed failed$also"
  ((passed > 0 && failed == 0))
}
