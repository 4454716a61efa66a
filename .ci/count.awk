# Counts what TAP says itself, so that it is right also where the runner broke off: assertions that passed, failed and were skipped.
# A file that failed without a failed assertion (it crashed, or its plan was not kept) is one failure, and so is each file that was planned and has no result.
/^ *---$/ { diagnosis = 1 }
/^ *\.\.\.$/ { diagnosis = 0; next }
diagnosis { next }
/^1\.\.[0-9]+/ { planned = substr($1, 4) + 0; next }
/^(ok|not ok) [0-9]+/ {
  files++
  if (/# SKIP/) skipped++
  else if (/^not ok/ && !failedInFile) failed++
  failedInFile = 0
  next
}
/^ +(ok|not ok) [0-9]+/ {
  if (/# (SKIP|TODO)/) skipped++
  else if (/^ +not ok/) { if (!/# time=/) { failed++; failedInFile = 1 } }
  else if (!/# time=/) passed++
}
END {
  if (planned == 0 || files < planned) failed += planned > files ? planned - files : 1
  print passed + 0, failed + 0, skipped + 0
}
