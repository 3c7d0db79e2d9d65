// Package costs has a test that compares the costs in README.md with bench/results/costs.txt, the
// output of make bench on the machine that the file names.
package costs
