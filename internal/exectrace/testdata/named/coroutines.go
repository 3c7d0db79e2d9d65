package main

import (
	"iter"
	"maps"
)

// leakCoroutines leaks iterators that were begun, and neither ended nor stopped.
func leakCoroutines() {
	for range 2 {
		go pullOne()
	}
	go pullPairs()
	go pullNothing()
	go pullKeys()
	go pullStuck()
}

func count(yield func(int) bool) {
	for i := 0; yield(i); i++ {
		continue
	}
}

func pairs(yield func(int, string) bool) { yield(1, "one") }

func stuck(yield func(int) bool) {
	<-never
	yield(1)
}

func pullOne() {
	next, _ := iter.Pull(count)
	next()
	<-never
}

func pullPairs() {
	next, _ := iter.Pull2(pairs)
	next()
	<-never
}

// pullNothing never asks for the first value.
func pullNothing() {
	_, _ = iter.Pull(count)
	<-never
}

func pullKeys() {
	next, _ := iter.Pull(maps.Keys(map[int]int{1: 1, 2: 2}))
	next()
	<-never
}

// pullStuck waits for an iterator that waits.
func pullStuck() {
	next, _ := iter.Pull(stuck)
	next()
}
