package main

// legend explains the table.
const legend = `How accurate is the detector? 50 simulated cases per family, of half a day to a week.
In a family of leaks, a number is the share of leaks flagged; the one after + is the
share of cases in which something healthy was flagged too. In a healthy family it is
the share of cases in which anything was flagged.

  census   our detector, with counts, aged and exits; suspected or worse, probable or worse
  counts   our detector, with goroutine profiles only
  1h       as census, with max_lifetime 1h instead of 12h, for short calls
  service  the service as a whole, with the census; included in census
  count    go_goroutines > 1000
  deriv    deriv(go_goroutines[1h]) above 10 a minute, above 10 an hour
  predict  predict_linear(go_goroutines[1h], 4h) > 10000
  LeakProf 10,000 goroutines of a process blocked at one channel operation
  Mann-Kendall, and linear regression, of go_goroutines over 6 hours
  minimum  of each group in each half hour, rising through 3 hours
  oracle   knows the leaked goroutines and max_lifetime: the earliest possible time

`
