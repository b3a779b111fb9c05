# shellcheck shell=bash
# Reads how many tests passed, failed and were skipped from what a test runner printed, and adds it up. Sourced, never
# run; it never judges by the numbers alone: a runner that failed without saying so counts as one failure.

passed=0
failed=0
skipped=0

# The sum of all numbers that stand before a word in the text of standard input.
sum_before() {
  { grep -oE "[0-9]+ $1" || true; } | awk '{ sum += $1 } END { print sum + 0 }'
}

# `count LOG STATUS`: the log of one runner, of whatever kind, and how it ended.
count() {
  local lines new_failed new_passed
  # nextest's last summary, every result line of cargo's own runner, and the last line of the browser tests.
  lines=$(sed 's/\x1b\[[0-9;]*m//g' "$1" |
    awk '/^ *Summary \[/ { summary = $0 } /^test result: / { print } /^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$/ { last = $0 }
         END { if (summary) print summary; if (last) print last }')
  new_passed=$(sum_before passed <<<"$lines")
  new_failed=$(sum_before '(failed|timed out|exec failed)' <<<"$lines")
  if (($2 != 0 && new_failed == 0)); then
    new_failed=1
  fi
  passed=$((passed + new_passed))
  failed=$((failed + new_failed))
  skipped=$((skipped + $(sum_before '(skipped|ignored)' <<<"$lines")))
}

# The closing line, and success only if something ran and nothing failed.
conclude() {
  if ((skipped)); then
    echo "$passed passed, $failed failed, $skipped skipped"
  else
    echo "$passed passed, $failed failed"
  fi
  ((passed > 0 && failed == 0))
}
