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

The tables of times have the leaks of goroutines, with these columns:

  median   time from the onset of a leak until it is probable
  oracle   the same for the oracle; ratio is the median over it
  slowest  longest time of a leak that was found
  formula  median time by docs/how-it-decides.md, without aged_after (10 minutes); never
           if it does not apply: pauses, healthy goroutines that exit, lost data
  worst    largest ratio of a time without aged_after to that of the formula
  late     number of leaks found later than 1.3 times the formula and aged_after
  interr.  number of leaks whose flag was interrupted while they went on

`
