package main

// legend says what is in the table.
const legend = `How right is the detector? 50 simulated cases a family, of half a day to a week.
In a family of leaks a number is the share of leaks flagged, and the one behind +
that of cases in which something else was flagged too; in a healthy one, the share
of cases in which anything was.

  census   ours, with counts, aged and exits; suspected or worse, probable or worse
  counts   ours, with goroutine profiles alone
  1h       as census, with max_lifetime 1h instead of 12h, where calls are short
  service  what the census shows of the service as a whole, which census has as well
  count    go_goroutines > 1000
  deriv    deriv(go_goroutines[1h]) above 10 a minute, above 10 an hour
  predict  predict_linear(go_goroutines[1h], 4h) > 10000
  LeakProf 10,000 goroutines of a process blocked at one channel operation
  Mann-Kendall, and linear regression, of go_goroutines over 6 hours
  minimum  of each group in each half hour, rising through 3 hours
  oracle   knows the leaked goroutines, and max_lifetime: the earliest anyone can

`
